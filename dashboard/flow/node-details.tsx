// What is known of one node of a flow: its ports with their types and constants, its settings.

import type { JSX } from "react";
import type { AppView } from "../../src/api/contract.ts";
import type { Graph, GraphNode, GraphPort } from "../../src/star/graph.ts";
import { Icon } from "../frame/icons.tsx";
import { shortName } from "../model/find.ts";
import { hrefOf } from "../model/route.ts";
import { LongText } from "../values/long-text.tsx";
import { edgeText } from "./flow-text.tsx";

export function NodeDetails({
  node,
  graph,
  app,
  onClose,
}: {
  readonly node: GraphNode;
  readonly graph: Graph;
  readonly app: AppView;
  readonly onClose: () => void;
}): JSX.Element {
  return (
    <aside className="node-details" aria-label={`Node ${node.title}`}>
      <div className="panel-head">
        <h3>{node.title}</h3>
        <button type="button" className="quiet" aria-label="Close the node" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      {node.detail !== undefined && <Uses detail={node.detail} app={app} />}
      {node.notes.length > 0 && <p>{node.notes.join(", ")}</p>}
      <div className="port-lists">
        <Ports title="Inputs" ports={node.inputs} from={(name) => cameFrom(graph, node, name)} />
        <Ports title="Outputs" ports={node.outputs} />
      </div>
    </aside>
  );
}

/** `csv::parse`, with a link where it is a component of the app. */
function Uses({ detail, app }: { readonly detail: string; readonly app: AppView }): JSX.Element {
  const [name = "", operation = ""] = detail.split("::");
  const component = app.components.find((each) => each.name === name);
  const used = component?.operations.find((each) => each.name === operation || shortName(each.name) === operation);
  if (component === undefined || used === undefined) return <code>{detail}</code>;
  return (
    <p>
      uses{" "}
      <a href={hrefOf({ page: "operation", app: app.name, component: component.name, operation: used.name })}>
        <code>{detail}</code>
      </a>
    </p>
  );
}

function cameFrom(graph: Graph, node: GraphNode, port: string): string | undefined {
  const edges = graph.edges.filter(({ to, toPort = "" }) => to === node.id && toPort === port);
  return edges.length === 0 ? undefined : edges.map((edge) => edgeText(graph, edge).from).join(", ");
}

function Ports({
  title,
  ports,
  from,
}: {
  readonly title: string;
  readonly ports: readonly GraphPort[];
  readonly from?: (name: string) => string | undefined;
}): JSX.Element | undefined {
  if (ports.length === 0) return undefined;
  return (
    <div>
      <h4>{title}</h4>
      <dl>
        {ports.map(({ name, type, constant }) => {
          const source = constant ?? from?.(name);
          return (
            <div key={name}>
              <dt>{name === "" ? "value" : name}</dt>
              <dd>
                {type !== undefined && (
                  <code className="type">
                    <LongText text={type} shown={200} />
                  </code>
                )}
                {source !== undefined && (
                  <span className="source">
                    {constant === undefined ? "from " : "always "}
                    <code>{source}</code>
                  </span>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
    </div>
  );
}

// An operation: its flow, a form to try it, what came of it, and the transactions that ran it.

import { useMemo, useState, type JSX } from "react";
import { Heading, Section } from "../frame/parts.tsx";
import { FlowGraph } from "../flow/flow-graph.tsx";
import { OperationForm } from "../form/operation-form.tsx";
import { formOf } from "../form/form-draft.ts";
import { isOf, keyOf, shortName, type FoundOperation } from "../model/find.ts";
import { hrefOf } from "../model/route.ts";
import { run } from "../model/run.ts";
import { setForm, useModel, type Run } from "../model/store.ts";
import { Prose } from "../values/prose.tsx";
import { RunList, RunView } from "./runs.tsx";
import { TransactionTable } from "./transaction-table.tsx";
import { Triggers, triggersOf } from "./triggers.tsx";

const NONE: readonly string[] = [];

export function OperationPage({ found }: { readonly found: FoundOperation }): JSX.Element {
  const { app, component, operation } = found;
  const allRuns = useModel((model) => model.runs);
  const runs = useMemo(() => allRuns.filter((each) => isRunOf(each, found)), [allRuns, found]);
  const all = useModel((model) => model.transactions);
  const transactions = useMemo(() => all.filter((transaction) => isOf(transaction, found)), [all, found]);
  const addresses = useModel((model) => model.state?.addresses ?? NONE);
  const triggers = triggersOf(app.triggers, component?.name, operation.name);
  const [chosen, choose] = useState<number>();
  const latest = runs[0];
  const shown = runs.find(({ id }) => id === chosen) ?? latest;
  const again = ({ request }: Run): void => {
    choose(undefined);
    void run(request);
  };
  const load = ({ request }: Run): void => setForm(keyOf(found), formOf(operation.ports, request.input));
  return (
    <article>
      <Heading title={shortName(operation.name)} full={operation.name} above={<Way found={found} />}>
        {operation.description !== undefined && (
          <p className="lead">
            <Prose text={operation.description} />
          </p>
        )}
        {triggers.length > 0 && <Triggers triggers={triggers} addresses={addresses} />}
      </Heading>
      {operation.graph !== undefined && <FlowGraph graph={operation.graph} app={app} />}
      <div className="columns">
        <Section id="try" title="Try it">
          <OperationForm found={found} running={latest?.state === "running" ? latest : undefined} />
        </Section>
        <Section id="result" title="Result">
          <RunView run={shown} type={operation.result} />
        </Section>
      </div>
      {runs.length > 0 && (
        <Section id="runs" title="Runs of this page">
          <RunList runs={runs} shown={shown?.id} onShow={choose} onAgain={again} onLoad={load} />
        </Section>
      )}
      <Section id="transactions" title="Recent transactions">
        <TransactionTable
          transactions={transactions}
          empty={`Nothing has run ${component === undefined ? "" : `${component.name}::`}${shortName(operation.name)} since this page was opened.`}
        />
      </Section>
    </article>
  );
}

function isRunOf({ request }: Run, { app, component, operation }: FoundOperation): boolean {
  return request.app === app.name && request.component === component?.name && request.operation === operation.name;
}

function Way({ found: { app, component } }: { readonly found: FoundOperation }): JSX.Element {
  return (
    <>
      <a href={hrefOf({ page: "app", app: app.name })}>{app.name}</a>
      {component !== undefined && (
        <>
          {" / "}
          <a href={hrefOf({ page: "component", app: app.name, component: component.name })}>{component.name}</a>
        </>
      )}
    </>
  );
}

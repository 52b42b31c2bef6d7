// A component of an app: what it is, what it may reach, what it offers.

import type { JSX } from "react";
import type { AppView, ComponentView } from "../../src/api/contract.ts";
import { Heading, Section } from "../frame/parts.tsx";
import { hrefOf } from "../model/route.ts";
import { sizeText } from "../values/times.ts";
import { Grants, OperationList } from "./app-page.tsx";

export function ComponentPage({ app, component }: { readonly app: AppView; readonly component: ComponentView }): JSX.Element {
  const { name, kind, file, sizeBytes, grants, operations } = component;
  return (
    <article>
      <Heading title={name} above={<a href={hrefOf({ page: "app", app: app.name })}>{app.name}</a>}>
        <p className="facts">
          <span>{kind === "wasm" ? "WebAssembly component" : "app"}</span>
          <code>{file}</code>
          {sizeBytes !== undefined && <span>{sizeText(sizeBytes)}</span>}
        </p>
      </Heading>
      <Section id="grants" title="Grants">
        <Grants grants={grants} />
      </Section>
      <Section id="operations" title="Operations">
        <OperationList app={app} component={component} operations={operations} />
      </Section>
    </article>
  );
}

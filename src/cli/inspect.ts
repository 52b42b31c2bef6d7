// `starlane inspect`: what a component or app asks for and offers, and the graphs of its flows. Reads every valid component, also
// those that cannot run yet.

import { StarlaneError } from "../base/errors.ts";
import type { AppOperation, LoadedComponent } from "../star/app.ts";
import { graphOf } from "../star/graph-of.ts";
import { findOperation } from "../star/operations.ts";
import { loadTarget } from "../star/star.ts";
import type { CommandLine } from "./command-line.ts";
import { paintFor, widthOf } from "./terminal.ts";

const FORMS = ["wit", "json", "dot", "svg"] as const;
type Form = (typeof FORMS)[number];

export async function run(line: CommandLine): Promise<number> {
  const [path = ""] = line.positionals;
  const forms = FORMS.filter((form) => line.options.has(form));
  if (forms.length > 1) {
    throw new StarlaneError("cli/usage", `${forms.map((form) => `--${form}`).join(" and ")} do not go together`, {
      cure: "choose one of them",
    });
  }
  const { target } = await loadTarget(path, { use: "look" });
  process.stdout.write(await textOf(target, forms[0], line.options.get("operation")));
  return 0;
}

async function textOf(target: LoadedComponent, form: Form | undefined, operation: string | undefined): Promise<string> {
  const chosen = operation === undefined ? undefined : findOperation(target, operation);
  switch (form) {
    case "wit":
      return witOf(target);
    case "json": {
      const { describeTarget } = await import("./describe.ts");
      return `${JSON.stringify(describeTarget(target, chosen), null, 2)}\n`;
    }
    case "dot": {
      const { graphToDot } = await import("./graph-dot.ts");
      return graphToDot(graphOf(flowOperation(target, operation).flow));
    }
    case "svg": {
      const { graphToSvg } = await import("./graph-svg.ts");
      return graphToSvg(graphOf(flowOperation(target, operation).flow));
    }
    case undefined: {
      const { tellTarget } = await import("./tell.ts");
      return tellTarget(target, chosen, { paint: paintFor(process.stdout), width: widthOf(process.stdout) });
    }
  }
}

async function witOf(target: LoadedComponent): Promise<string> {
  const { printWit } = await import("../wit/print-wit.ts");
  if (target.kind === "wasm") return withEnd(printWit(target.type));
  const { worldOf } = await import("../star/world-of.ts");
  const [space, name] = target.manifest.name?.split("/") ?? [];
  return withEnd(printWit(worldOf(target), space === undefined || name === undefined ? {} : { package: `${space}:${name}` }));
}

function withEnd(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** The operation whose flow is to be drawn: the one that was named, or the only one. */
function flowOperation(target: LoadedComponent, name: string | undefined): AppOperation {
  const operation = name === undefined && target.operations.size > 1 ? undefined : findOperation(target, name);
  if (target.kind === "wasm") {
    throw new StarlaneError("cli/usage", `${target.file} is a component binary: it has no flow to draw`, {
      cure: "inspect a manifest, or use --wit or --json",
    });
  }
  if (operation?.kind === "flow") return operation;
  throw new StarlaneError("cli/usage", `${target.file} has ${target.operations.size} flows: which one?`, {
    cure: `add --operation NAME: ${[...target.operations.keys()].join(", ")}`,
  });
}

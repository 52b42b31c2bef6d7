// `core::switch`, `core::merge`, `core::race`: which way a value goes, and which of several is taken.

import { StarlaneError } from "../../base/errors.ts";
import { printType } from "../../wit/type-text.ts";
import { isNestedOption, property } from "../../wit/shape.ts";
import { type Case, ERROR_TAG, type Field, type ValType } from "../../wit/types.ts";
import { compileExpression } from "./expression.ts";
import { MergedStreams, RacedStreams } from "../streams/join.ts";
import { Routed, type CoreNode, type CoreOperation, type CoreUse } from "./operation.ts";
import { commonType, commonTypeOf, signatureOf, valueInput } from "./types.ts";

const MAX_CASES = 100;
const OTHERWISE = "otherwise";

export const switchOperation: CoreOperation = {
  name: "switch",
  description: "Sends its value one of several ways; what needs another way is skipped.",
  inputs: "`value`, of any type.",
  outputs:
    "With `cases`: one port a case and `otherwise`, each the value itself. Without: the cases of a variant, result or option (the payload, or the value where a case has none), the labels of an enum, or `true` and `false` of a bool.",
  settings: [
    {
      name: "cases",
      kind: "mapping of port names to CEL expressions",
      required: false,
      description: "the first case whose expression over `value` is true is taken, else `otherwise`.",
    },
  ],
  takes: "value",
  computes: true,
  check: (use) => (use.settings.has("cases") ? switchByExpression(use) : switchByCase(use)),
};

export const mergeOperation: CoreOperation = {
  name: "merge",
  description:
    "Joins ways that a switch parted: the first of its inputs, in the order they are written, that has a value. Of streams: all their elements, as they come.",
  inputs: "Any number, named as they are connected or numbered from 1; all must fit the type of one of them.",
  outputs: "One value of that type, or a stream. Skipped where every input was skipped.",
  settings: [],
  takes: "open",
  streams: true,
  check: (use) => chooser(use, "merge"),
};

export const raceOperation: CoreOperation = {
  name: "race",
  description:
    "Takes the input that has its value first, and cancels the nodes that only the others needed. Of streams: the one that has an element first.",
  inputs: "Any number, named as they are connected or numbered from 1; all must fit the type of one of them.",
  outputs: "One value of that type, or a stream. Fails only where every input failed.",
  settings: [],
  takes: "open",
  streams: true,
  check: (use) => chooser(use, "race"),
};

function chooser(use: CoreUse, kind: "merge" | "race"): CoreNode | undefined {
  if (use.inputs.some(({ type }) => type.kind === "stream")) return streamChooser(use, kind);
  const type = commonType(use);
  if (type === undefined) return undefined;
  return {
    signature: signatureOf(
      use.inputs.map(({ name }) => ({ name, type })),
      type,
    ),
    run: { kind },
  };
}

/** A value beside streams is a stream of one element. */
function streamChooser(use: CoreUse, kind: "merge" | "race"): CoreNode | undefined {
  const elements = use.inputs.map((input) =>
    input.type.kind === "stream" && input.type.element !== undefined ? { ...input, type: input.type.element } : input,
  );
  const element = commonTypeOf(use, elements);
  if (element === undefined) return undefined;
  const type: ValType = { kind: "stream", element };
  const join = kind === "merge" ? MergedStreams : RacedStreams;
  return {
    signature: signatureOf(
      use.inputs.map(({ name }) => ({ name, type })),
      type,
    ),
    run: { kind: "join", join: (streams) => new join(streams) },
  };
}

function switchByExpression(use: CoreUse): CoreNode | undefined {
  const input = valueInput(use);
  const cases = use.settings.texts("cases");
  if (input === undefined || cases === undefined) return undefined;
  if (cases.length === 0 || cases.length > MAX_CASES)
    return use.settings.wrong(
      "cases",
      `a switch has 1 to ${MAX_CASES} cases, not ${cases.length}`,
      'Write `cases: { name: "expression over value" }`.',
    );
  const compiled = cases.map(([name, text]) => {
    if (!/^[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*$/.test(name)) {
      return use.settings.wrong("cases", `\`${name}\` is no name for a port`, "Names are letters and digits, joined by `-`.");
    }
    if (name === OTHERWISE)
      return use.settings.wrong("cases", `\`${OTHERWISE}\` is always there, for values that no case takes`, "Leave it out.");
    const expression = compileExpression(text, [{ name: "value", type: input.type }]);
    if ("problem" in expression) return use.settings.wrong("cases", `case \`${name}\`: ${expression.problem}`, expression.cure);
    if (expression.type !== undefined && expression.type.kind !== "bool") {
      return use.settings.wrong(
        "cases",
        `case \`${name}\` gives \`${printType(expression.type, 80)}\`, not \`bool\``,
        "Compare it with something: `value > 3`.",
      );
    }
    return { name, expression };
  });
  const ways = compiled.filter((item) => item !== undefined);
  if (ways.length < compiled.length) return undefined;
  const fields = [...ways.map(({ name }) => name), OTHERWISE].map((name): Field => ({ name, type: input.type }));
  return {
    signature: signatureOf([{ name: "value", type: input.type }], { kind: "record", fields }),
    routes: true,
    run: {
      kind: "call",
      call: (args) => {
        for (const { name, expression } of ways) {
          const holds = expression.evaluate(args);
          if (holds === true) return new Routed(name, args[0]);
          if (holds !== false) throw notBool(name);
        }
        return new Routed(OTHERWISE, args[0]);
      },
    },
  };
}

function notBool(name: string): StarlaneError {
  return new StarlaneError("flow/expression-failed", `case \`${name}\` gave no bool`);
}

function switchByCase(use: CoreUse): CoreNode | undefined {
  const input = valueInput(use);
  if (input === undefined) return undefined;
  const { type } = input;
  const fields = waysOf(type);
  if (fields === undefined) {
    use.wrong(
      "flow/type-mismatch",
      `a \`${printType(type, 80)}\` has no cases to switch by`,
      'Give the node `with: { cases: { name: "expression over value" } }`.',
    );
    return undefined;
  }
  return {
    signature: signatureOf([{ name: "value", type }], { kind: "record", fields }),
    routes: true,
    run: { kind: "call", call: ([value]) => route(type, value) },
  };
}

function waysOf(type: ValType): readonly Field[] | undefined {
  switch (type.kind) {
    case "bool":
      return [
        { name: "true", type },
        { name: "false", type },
      ];
    case "enum":
      return type.labels.map((name) => ({ name, type }));
    case "variant":
      return type.cases.map((item) => way(item, type));
    case "result":
      return [way({ name: "ok", type: type.ok }, type), way({ name: "error", type: type.error }, type)];
    case "option":
      return [
        { name: "some", type: type.type },
        { name: "none", type },
      ];
    default:
      return undefined;
  }
}

function way({ name, type }: Case, whole: ValType): Field {
  return { name, type: type ?? whole };
}

function route(type: ValType, value: unknown): Routed {
  if (type.kind === "bool") return new Routed(String(value), value);
  if (type.kind === "enum") return new Routed(String(value), value);
  if (type.kind === "option" && !isNestedOption(type.type)) return new Routed(value === undefined ? "none" : "some", value);
  const tag = typeof value === "object" && value !== null ? String(property(value, "tag")) : "";
  const payload = typeof value === "object" && value !== null ? property(value, "val") : undefined;
  const hasPayload =
    type.kind === "variant" ? type.cases.some((item) => item.name === tag && item.type !== undefined) : payload !== undefined;
  return new Routed(type.kind === "result" && tag === ERROR_TAG ? "error" : tag, hasPayload ? payload : value);
}

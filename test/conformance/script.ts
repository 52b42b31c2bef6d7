// Runs one component-model test script (`.wast`, read by the reader beside the scripts) on the engine.

import { isDeepStrictEqual } from "node:util";
import { compile } from "../../src/engine/compile.ts";
import { ComponentError, type CompiledComponent, type Instance } from "../../src/engine/engine.ts";
import { camelCase, type ValType } from "../../src/wit/types.ts";
import { StarlaneError } from "../../src/base/errors.ts";
import { pooled } from "./pooled.ts";

/** A typed value as the script writes it. */
export interface ScriptValue {
  readonly type: string;
  readonly value: unknown;
  readonly case?: string;
}

export interface ScriptAction {
  readonly instance?: string;
  readonly field: string;
  readonly args: readonly ScriptValue[];
}

export interface ScriptCommand {
  readonly type: string;
  readonly line: number;
  readonly id?: string;
  readonly kind?: "definition" | "instance";
  readonly definition?: string;
  readonly binary?: Uint8Array;
  readonly parseError?: string;
  readonly text?: boolean;
  readonly message?: string;
  readonly action?: ScriptAction;
  readonly expected?: readonly ScriptValue[];
  readonly module?: ScriptCommand;
}

export interface CommandResult {
  readonly line: number;
  readonly type: string;
  readonly outcome: "passed" | "failed" | "unreadable";
  readonly reason?: string;
}

/** What the scripts expect of an embedder: functions, a nested instance, a module. */
function hostImports(): Record<string, unknown> {
  // (module (func (export "f") (result i32) i32.const 101) (global (export "g") i32 (i32.const 100)))
  const simple = new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 6, 7, 1, 127, 0, 65, 228, 0, 11, 7, 9, 2, 1, 102, 0, 0, 1,
    103, 3, 0, 10, 7, 1, 5, 0, 65, 229, 0, 11,
  ]);
  return {
    host: {
      "return-two": () => 2,
      "return-three": () => 3,
      nested: { "return-four": () => 4 },
      "simple-module": new WebAssembly.Module(simple),
    },
    "host-return-two": () => 2,
    "host-echo-u32": (value: number) => value,
  };
}

export class ScriptRunner {
  readonly #definitions = new Map<string, CompiledComponent>();
  readonly #instances = new Map<string, Instance>();
  #lastDefinition: CompiledComponent | undefined;
  #current: { instance: Instance; component: CompiledComponent } | undefined;
  #unreadable = false;
  // Weak: an instance that no later command can reach gives its memories back, of which a browser has about a hundred.
  readonly #components = new WeakMap<Instance, CompiledComponent>();

  readonly #isPooled: boolean;

  /** `isPooled`: components run in the form that pools run them in. */
  constructor(isPooled = false) {
    this.#isPooled = isPooled;
  }

  async #compiled(bytes: Uint8Array): Promise<CompiledComponent> {
    const component = await compile(bytes);
    return this.#isPooled ? pooled(bytes, component) : component;
  }

  async run(commands: readonly ScriptCommand[]): Promise<CommandResult[]> {
    const results: CommandResult[] = [];
    for (const command of commands) results.push(await this.#command(command));
    return results;
  }

  async #command(command: ScriptCommand): Promise<CommandResult> {
    const { line, type } = command;
    if (command.action?.args.some(losesItsPayload) === true) {
      return { line, type, outcome: "unreadable", reason: "the script reader drops the payload of option.some and result.ok" };
    }
    if (command.parseError !== undefined || command.module?.parseError !== undefined) {
      if (type === "component") this.#current = undefined;
      this.#unreadable ||= type === "component";
      return { line, type, outcome: "unreadable", reason: command.parseError ?? command.module?.parseError ?? "" };
    }
    if (type === "component") this.#unreadable = false;
    if (this.#unreadable && command.action !== undefined && command.action.instance === undefined) {
      return { line, type, outcome: "unreadable", reason: "the component before it could not be read" };
    }
    try {
      await this.#execute(command);
      return { line, type, outcome: "passed" };
    } catch (error) {
      return { line, type, outcome: "failed", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  async #execute(command: ScriptCommand): Promise<void> {
    switch (command.type) {
      case "component":
        return this.#component(command);
      case "module":
        await WebAssembly.compile(command.binary as Uint8Array<ArrayBuffer>);
        return;
      case "action":
        await this.#act(command.action as ScriptAction);
        return;
      case "assert_return":
        return this.#assertReturn(command);
      case "assert_trap":
        return this.#assertTrap(command);
      case "assert_invalid":
      case "assert_malformed":
        if (command.text === true) return;
        return rejects(() => compile(command.binary as Uint8Array), ["component/malformed", "component/invalid"]);
      case "assert_unlinkable":
        return rejects(
          async () => this.#instantiate(await compile(command.binary as Uint8Array)),
          ["component/malformed", "component/invalid", "engine/missing-import", "engine/instantiate"],
        );
      default:
        throw new Error(`unknown command ${command.type}`);
    }
  }

  async #component(command: ScriptCommand): Promise<void> {
    if (command.kind === "instance") {
      const component = command.definition === undefined ? this.#lastDefinition : this.#definitions.get(command.definition);
      if (component === undefined) throw new Error(`no component ${command.definition ?? ""}`);
      this.#select(command.id, component);
      return;
    }
    const component = await this.#compiled(command.binary as Uint8Array);
    this.#lastDefinition = component;
    if (command.id !== undefined) this.#definitions.set(command.id, component);
    if (command.kind !== "definition") this.#select(command.id, component);
  }

  #select(id: string | undefined, component: CompiledComponent): void {
    this.#current = undefined;
    const instance = this.#instantiate(component);
    this.#components.set(instance, component);
    this.#current = { instance, component };
    if (id !== undefined) this.#instances.set(id, instance);
  }

  #instantiate(component: CompiledComponent): Instance {
    const named = Object.fromEntries([...this.#instances].map(([id, instance]) => [id.slice(1), instance.exports]));
    return component.instantiateSync({ ...hostImports(), ...named });
  }

  async #act(action: ScriptAction): Promise<{ readonly value: unknown; readonly type: ValType | undefined }> {
    const named = action.instance === undefined ? undefined : this.#instances.get(action.instance);
    const component = named === undefined ? this.#current?.component : this.#components.get(named);
    const instance = named ?? this.#current?.instance;
    if (instance === undefined || component === undefined) throw new Error("no instance to call");
    const type = component.functions.get(action.field);
    if (type === undefined) throw new Error(`no function ${action.field}`);
    const args = action.args.map((arg, i) => toJs(arg, type.params[i]?.type));
    try {
      const value = await instance.call(action.field, args);
      return { value: type.result?.kind === "result" ? { tag: "ok", val: value } : value, type: type.result };
    } catch (error) {
      if (error instanceof ComponentError) return { value: { tag: "err", val: error.payload }, type: type.result };
      throw error;
    }
  }

  async #assertReturn(command: ScriptCommand): Promise<void> {
    const { value, type } = await this.#act(command.action as ScriptAction);
    const [expected] = command.expected ?? [];
    if (expected === undefined) return;
    const wanted = toJs(expected, type);
    if (!isDeepStrictEqual(normal(value), normal(wanted))) throw new Error(`expected ${show(wanted)}, got ${show(value)}`);
  }

  async #assertTrap(command: ScriptCommand): Promise<void> {
    if (command.module !== undefined) {
      const { module } = command;
      return rejects(async () => this.#instantiate(await this.#compiled(module.binary as Uint8Array)), ["engine/trap"]);
    }
    await rejects(() => this.#act(command.action as ScriptAction), ["engine/trap"]);
  }
}

/** `option.some` and `result.ok` as arguments: the reader knows them by the names of results only. */
function losesItsPayload(value: ScriptValue): boolean {
  if (value.type === "option.some" || value.type === "result.ok" || value.type === "result.err") return true;
  return (
    Array.isArray(value.value) &&
    (value.type === "list" || value.type === "tuple") &&
    (value.value as ScriptValue[]).some(losesItsPayload)
  );
}

async function rejects(run: () => unknown, codes: readonly string[]): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof StarlaneError && codes.includes(error.code)) return;
    throw new Error(
      `expected ${codes.join(" or ")}, got ${error instanceof StarlaneError ? `${error.code}: ` : ""}${String(error)}`,
      {
        cause: error,
      },
    );
  }
  throw new Error(`expected ${codes.join(" or ")}, got no error`);
}

function show(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner)) ?? "nothing";
}

/** Optional keys that are undefined, and typed arrays, compare by content. */
function normal(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as Iterable<unknown>, normal);
  if (Array.isArray(value)) return value.map(normal);
  if (value instanceof Map) return [...value].map(normal);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, inner]) => inner !== undefined)
        .map(([key, inner]) => [key, normal(inner)]),
    );
  }
  return value;
}

function number(text: unknown): number {
  const clean = String(text).replaceAll("_", "");
  if (clean.includes("nan")) return NaN;
  if (/^[+-]?inf/.test(clean)) return clean.startsWith("-") ? -Infinity : Infinity;
  return clean.startsWith("-") ? -Number(clean.slice(1)) : Number(clean.replace(/^\+/, ""));
}

function bigint(text: unknown): bigint {
  const clean = String(text).replaceAll("_", "").replace(/^\+/, "");
  return clean.startsWith("-") ? -BigInt(clean.slice(1)) : BigInt(clean);
}

/** A script's value as the JS value of the WIT type; integers written too large for it wrap, as scripts write them. */
function toJs(value: ScriptValue, type: ValType | undefined): unknown {
  switch (type?.kind) {
    case undefined:
      throw new Error(`a value where the function has none: ${show(value)}`);
    case "bool":
    case "char":
    case "string":
      return value.value;
    case "s64":
      return BigInt.asIntN(64, bigint(value.value));
    case "u64":
      return BigInt.asUintN(64, bigint(value.value));
    case "f32":
    case "f64":
      return type.kind === "f32" ? Math.fround(number(value.value)) : number(value.value);
    case "s8":
      return (number(value.value) << 24) >> 24;
    case "s16":
      return (number(value.value) << 16) >> 16;
    case "s32":
      return number(value.value) | 0;
    case "u8":
    case "u16":
    case "u32":
      return number(value.value) >>> 0;
    case "list":
      return (value.value as ScriptValue[]).map((one) => toJs(one, type.element));
    case "map":
      return new Map(
        (value.value as ScriptValue[]).map(
          (pair) => toJs(pair, { kind: "tuple", types: [type.key, type.value] }) as [unknown, unknown],
        ),
      );
    case "tuple":
      return (value.value as ScriptValue[]).map((one, i) => toJs(one, type.types[i]));
    case "record":
      return Object.fromEntries(
        (value.value as [string, ScriptValue][]).map(([name, one]) => [
          camelCase(name),
          toJs(one, type.fields.find((field) => field.name === name)?.type),
        ]),
      );
    case "enum":
      return value.value;
    case "flags":
      return Object.fromEntries(type.labels.map((label) => [camelCase(label), (value.value as string[]).includes(label)]));
    case "variant": {
      const payload = type.cases.find((one) => one.name === value.case)?.type;
      return payload === undefined ? { tag: value.case } : { tag: value.case, val: toJs(value.value as ScriptValue, payload) };
    }
    case "option":
      return value.value === null ? undefined : toJs(value.value as ScriptValue, type.type);
    case "result": {
      const payload = value.case === "ok" ? type.ok : type.error;
      const tag = value.case === "ok" ? "ok" : "err";
      return payload === undefined ? { tag } : { tag, val: toJs(value.value as ScriptValue, payload) };
    }
    default:
      throw new Error(`no value of type ${type?.kind ?? ""} can be written in a script`);
  }
}

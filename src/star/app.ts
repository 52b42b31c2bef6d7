// A target, loaded completely: found, decoded, typed, checked, planned. Plain frozen data; what runs later reads only this.
// An app is a component: both kinds offer operations with signatures.

import type { ComponentFacts } from "../component/facts.ts";
import type { CheckedFlow } from "../flow/checked.ts";
import type { Signature, Transaction } from "../flow/flow.ts";
import type { LimitsDeclaration, Manifest, OperationDeclaration, TestDeclaration } from "../manifest/manifest.ts";
import type { WorldType } from "../wit/types.ts";
import type { RecordedAs } from "./record/transaction-records.ts";
import type { Host } from "./transaction.ts";

export type LoadedComponent = WasmComponent | App;

/**
 * Runs an operation on JS values by its signature's params; undefined takes a port's default. The answer is the result, or a promise
 * of it. `path`: where the node stands, undefined for the operation that was asked for.
 * @throws StarlaneError (or rejects with it); an operation's own error is an object with a `payload`
 */
export type Call = (args: readonly unknown[], transaction: Transaction, host: Host, path: string | undefined) => unknown;

export interface WasmComponent {
  readonly kind: "wasm";
  /** For people: the file's name without its ending. */
  readonly name: string;
  /** As people know it. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly type: WorldType;
  /** Who made it and what it consists of; read where it is only looked at. */
  readonly facts?: ComponentFacts | undefined;
  /** By `name` or `interface#name`. */
  readonly operations: ReadonlyMap<string, WasmOperation>;
}

export interface WasmOperation {
  readonly kind: "wasm";
  readonly name: string;
  readonly signature: Signature;
  /** Of a transaction that begins with it. */
  readonly limits: LimitsDeclaration;
  /** What records its transactions, where those who start them do not. */
  readonly recordedAs?: RecordedAs | undefined;
  readonly call: Call;
}

export interface App {
  readonly kind: "app";
  /** The manifest's `name`, else the folder's. */
  readonly name: string;
  readonly file: string;
  /** Of the manifest, absolute: its relative paths start here. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly components: ReadonlyMap<string, LoadedComponent>;
  readonly operations: ReadonlyMap<string, AppOperation>;
  /** Those of the manifest and of its tests files; none for an app that another one uses. */
  readonly tests: readonly TestDeclaration[];
}

export interface AppOperation {
  readonly kind: "flow";
  readonly name: string;
  readonly signature: Signature;
  readonly limits: LimitsDeclaration;
  readonly declaration: OperationDeclaration;
  readonly flow: CheckedFlow;
  readonly recordedAs?: RecordedAs | undefined;
  readonly call: Call;
}

export type Operation = WasmOperation | AppOperation;

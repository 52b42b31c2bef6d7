// How the operation of a node is called in one run: in a scope of its own where it is cancelled alone or watched, and under its policy.

import { Attempts } from "./attempts.ts";
import type { Invoke, NodeEvent } from "./flow.ts";
import type { Lifetime } from "./lifetime.ts";
import type { Plan, PlanNode, Policy } from "./plan.ts";
import { Scope } from "./scope.ts";

/** Told what came of a call under a policy, of all its attempts together. */
export type Settling = Pick<ConstructorParameters<typeof Attempts>[3], "isWanted" | "proceed" | "done" | "failed">;

type Outcome = { readonly value: unknown } | { readonly error: unknown };

export class NodeCalls {
  private readonly plan: Plan;
  private readonly scope: Scope;
  private readonly invoke: Invoke;
  private readonly life: Lifetime;
  private readonly retrying: (node: PlanNode, error: unknown) => void;
  private readonly scopes = new Map<number, Scope>();

  constructor(plan: Plan, scope: Scope, invoke: Invoke, life: Lifetime, retrying: (node: PlanNode, error: unknown) => void) {
    this.plan = plan;
    this.scope = scope;
    this.invoke = invoke;
    this.life = life;
    this.retrying = retrying;
  }

  /** The answer, or a promise of it; throws what the operation throws. */
  call(node: PlanNode, args: readonly unknown[], scope = this.scopeOf(node)): unknown {
    return node.call === undefined ? this.invoke(node.target, args, scope) : node.call(args, scope, node.target);
  }

  attempt(node: PlanNode, policy: Policy, args: readonly unknown[], settling: Settling): void {
    new Attempts(policy, node.id, this.scopeOf(node), {
      ...settling,
      call: (scope) => this.call(node, args, scope),
      hold: () => this.life.hold(),
      release: () => {
        this.life.letGo();
        settling.proceed();
      },
      retrying: (error) => this.retrying(node, error),
    }).start();
  }

  /** What calls a node that runs once per element. */
  ofElements(node: PlanNode): (args: readonly unknown[]) => unknown {
    const { policy } = node;
    const scope = this.scopeOf(node);
    return policy === undefined ? (args) => this.call(node, args, scope) : (args) => this.callByPolicy(node, policy, args, scope);
  }

  /** Tells the calls of a node to stop. */
  cancel(node: number, reason: unknown): void {
    this.scopes.get(node)?.abort(reason);
  }

  /** One call under the policy of its node: the answer, or a promise of it. */
  private callByPolicy(node: PlanNode, policy: Policy, args: readonly unknown[], scope: Scope): unknown {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const settled: Outcome[] = [];
    this.attempt(node, policy, args, {
      isWanted: () => this.life.stopReason === undefined && !scope.aborted,
      proceed: () => this.life.proceed(),
      done: (value) => {
        settled.push({ value });
        resolve(value);
      },
      failed: (error) => {
        settled.push({ error });
        reject(error);
      },
    });
    const [now] = settled;
    if (now === undefined) {
      // Who is told to stop answers no more.
      const forget = scope.onAbort(() => reject(scope.reason));
      promise.then(forget, forget);
      return promise;
    }
    promise.catch(() => undefined);
    if ("error" in now) throw now.error;
    return now.value;
  }

  private scopeOf(node: PlanNode): Scope {
    const { observe } = this.scope;
    if (!node.cancellable && node.mapped === undefined && observe === undefined) return this.scope;
    let scope = this.scopes.get(node.index);
    if (scope === undefined) {
      const inner =
        observe === undefined
          ? undefined
          : (event: NodeEvent): void => observe({ ...event, path: event.path === "" ? node.path : `${node.path}/${event.path}` });
      scope = new Scope(this.scope, inner);
      this.scopes.set(node.index, scope);
    }
    return scope;
  }
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../base/errors.ts";
import { compileWat, instantiateWat } from "../../test/wat.ts";
import { compile } from "./compile.ts";
import { ComponentError } from "./engine.ts";

/** A component whose one core module has a memory, a bump allocator and the functions given. */
const withMemory = (coreFunctions: string, component: string, imports = "", coreImports = ""): string => `(component
  ${imports}
  (core module $M
    ${coreImports}
    (memory (export "mem") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1))) (i32.sub (i32.const 0) (local.get 2))))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    ${coreFunctions})
  ${component})`;

const ECHO = `(func (export "echo") (param i32 i32) (result i32)
  (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))`;
const INSTANCE = `(core instance $m (instantiate $M))`;
const OPTIONS = `(memory (core memory $m "mem")) (realloc (core func $m "realloc"))`;

const isStarlane =
  (code: string, message: RegExp = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof StarlaneError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };

test("a function of numbers is called by its name", async () => {
  const instance = await instantiateWat(`(component
    (core module $M (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
    (core instance $m (instantiate $M))
    (func (export "add") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $m "add"))))`);
  assert.equal(await instance.call("add", [2, 3]), 5);
  assert.equal(instance.function("add")(-2, 1), -1);
  assert.equal((instance.exports.add as (a: number, b: number) => number)(1, 1), 2);
});

test("strings pass in and out in each encoding", async () => {
  for (const encoding of ["utf8", "utf16", "latin1+utf16"]) {
    const instance = await instantiateWat(
      withMemory(
        ECHO,
        `${INSTANCE} (func (export "echo") (param "s" string) (result string) (canon lift (core func $m "echo") ${OPTIONS} string-encoding=${encoding}))`,
      ),
    );
    for (const text of ["", "a", "hello, world", "straße", "日本語", "🍰 and ☃", "é".repeat(300), "x".repeat(5000)]) {
      assert.equal(await instance.call("echo", [text]), text, `${encoding}: ${text.slice(0, 20)}`);
    }
  }
});

test("a string with an unpaired surrogate is the caller's mistake and the guest can still be called", async () => {
  const instance = await instantiateWat(
    withMemory(
      ECHO,
      `${INSTANCE} (func (export "echo") (param "s" string) (result string) (canon lift (core func $m "echo") ${OPTIONS}))`,
    ),
  );
  await assert.rejects(instance.call("echo", ["a\ud800b"]), isStarlane("engine/bad-value", /surrogate/));
  assert.equal(await instance.call("echo", ["fine"]), "fine");
});

test("numbers out of range are refused with what was expected", async () => {
  const instance = await instantiateWat(`(component
    (core module $M (func (export "f") (param i32) (result i32) (local.get 0)))
    (core instance $m (instantiate $M))
    (func (export "u8") (param "x" u8) (result u8) (canon lift (core func $m "f")))
    (func (export "char") (param "x" char) (result char) (canon lift (core func $m "f")))
    (func (export "bool") (param "x" bool) (result bool) (canon lift (core func $m "f"))))`);
  for (const value of [256, -1, 1.5, NaN, "1", undefined, null, {}]) {
    assert.throws(() => instance.function("u8")(value), isStarlane("engine/bad-value", /from 0 to 255/));
  }
  for (const value of ["", "ab", "\ud800", 65])
    assert.throws(() => instance.function("char")(value), isStarlane("engine/bad-value"));
  assert.throws(() => instance.function("bool")(1), isStarlane("engine/bad-value"));
  assert.equal(instance.function("char")("🍰"), "🍰");
});

test("compound values follow the convention of jco", async () => {
  const instance = await instantiateWat(
    withMemory(
      `(func (export "record") (param i32 i32 i32) (result i32)
         (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.store (i32.const 24) (local.get 2)) (i32.const 16))
       (func (export "two") (param i32 i32) (result i32)
         (i32.store8 (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
       (func (export "one") (param i32) (result i32) (local.get 0))
       ${ECHO}`,
      `${INSTANCE}
       (type $person' (record (field "first-name" string) (field "is-admin" bool))) (export $person "person" (type $person'))
       (type $color' (enum "red" "light-blue")) (export $color "color" (type $color'))
       (type $perm' (flags "read-all" "write")) (export $perm "perm" (type $perm'))
       (type $shape' (variant (case "dot") (case "circle" u32))) (export $shape "shape" (type $shape'))
       (func (export "echo-record") (param "x" $person) (result $person) (canon lift (core func $m "record") ${OPTIONS}))
       (func (export "echo-color") (param "x" $color) (result $color) (canon lift (core func $m "one")))
       (func (export "echo-perm") (param "x" $perm) (result $perm) (canon lift (core func $m "one")))
       (func (export "echo-shape") (param "x" $shape) (result $shape) (canon lift (core func $m "two") ${OPTIONS}))
       (func (export "echo-option") (param "x" (option u32)) (result (option u32)) (canon lift (core func $m "two") ${OPTIONS}))
       (func (export "echo-result") (param "x" u8) (param "y" u32) (result (result u32 (error u32))) (canon lift (core func $m "two") ${OPTIONS}))
       (func (export "echo-bytes") (param "x" (list u8)) (result (list u8)) (canon lift (core func $m "echo") ${OPTIONS}))
       (func (export "echo-floats") (param "x" (list f64)) (result (list f64)) (canon lift (core func $m "echo") ${OPTIONS}))
       (func (export "echo-pairs") (param "x" (list (tuple u8 string))) (result (list (tuple u8 string))) (canon lift (core func $m "echo") ${OPTIONS}))`,
    ),
  );
  const same = async (name: string, value: unknown): Promise<void> =>
    assert.deepEqual(await instance.call(name, [value]), value, name);
  await same("echo-record", { firstName: "Ada", isAdmin: true });
  await same("echo-color", "light-blue");
  await same("echo-perm", { readAll: true, write: false });
  await same("echo-shape", { tag: "dot" });
  await same("echo-shape", { tag: "circle", val: 7 });
  await same("echo-option", 3);
  await same("echo-option", undefined);
  await same("echo-bytes", Uint8Array.of(1, 2, 255));
  await same("echo-floats", Float64Array.of(0.5, -0, Infinity));
  await same("echo-pairs", [
    [1, "one"],
    [2, "zwei"],
  ]);
  assert.deepEqual(await instance.call("echo-bytes", [[1, 2, 3]]), Uint8Array.of(1, 2, 3), "any iterable of numbers is a list");
  assert.equal(await instance.call("echo-result", [0, 5]), 5);
  await assert.rejects(instance.call("echo-result", [1, 6]), (error) => error instanceof ComponentError && error.payload === 6);
  assert.throws(() => instance.function("echo-color")("blue"), isStarlane("engine/bad-value", /red, light-blue/));
  assert.throws(() => instance.function("echo-shape")({ tag: "line" }), isStarlane("engine/bad-value", /dot, circle/));
});

test("a trap says why, and the instance cannot be entered again", async () => {
  const instance = await instantiateWat(`(component
    (core module $M
      (func (export "boom") unreachable)
      (func (export "fine")))
    (core instance $m (instantiate $M))
    (func (export "boom") (canon lift (core func $m "boom")))
    (func (export "fine") (canon lift (core func $m "fine"))))`);
  await instance.call("fine");
  await assert.rejects(instance.call("boom"), isStarlane("engine/trap", /unreachable/));
  await assert.rejects(instance.call("fine"), isStarlane("engine/trap", /cannot enter/));
});

test("endless recursion of a guest is a trap", async () => {
  const instance = await instantiateWat(`(component
    (core module $M (func $f (export "f") (call $f)))
    (core instance $m (instantiate $M))
    (func (export "f") (canon lift (core func $m "f"))))`);
  await assert.rejects(instance.call("f"), isStarlane("engine/trap", /stack/));
});

const HOST_CALL = `(component
  (import "acme:host/api@1.2.0" (instance $api
    (export "shout" (func (param "s" string) (result string)))
    (export "may-fail" (func (param "n" u32) (result (result u32 (error string)))))))
  (core module $Libc
    (memory (export "mem") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 512)))
  (core instance $libc (instantiate $Libc))
  (core func $shout (canon lower (func $api "shout") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
  (core func $may-fail (canon lower (func $api "may-fail") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
  (core module $M
    (import "" "shout" (func $shout (param i32 i32 i32)))
    (import "" "may-fail" (func $may-fail (param i32 i32)))
    (func (export "shout") (param i32 i32) (result i32) (call $shout (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16))
    (func (export "try") (param i32) (result i32) (call $may-fail (local.get 0) (i32.const 32)) (i32.const 32))
    (func (export "swallow") (result i32)
      (block $caught
        (try_table (catch_all $caught) (call $may-fail (i32.const 99) (i32.const 32)))
        (return (i32.const 0)))
      (i32.const 1)))
  (core instance $m (instantiate $M (with "" (instance (export "shout" (func $shout)) (export "may-fail" (func $may-fail))))))
  (func (export "shout") (param "s" string) (result string)
    (canon lift (core func $m "shout") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
  (func (export "try") (param "n" u32) (result (result u32 (error string)))
    (canon lift (core func $m "try") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
  (func (export "swallow") (result u32) (canon lift (core func $m "swallow"))))`;

const api = {
  shout: (text: string): string => text.toUpperCase(),
  mayFail: (n: number): number => {
    if (n === 99) throw new TypeError("a mistake of the host");
    if (n > 10) throw Object.assign(new Error(), { payload: "too large" });
    return n + 1;
  },
};

test("host functions answer, and their errors become WIT errors", async () => {
  const instance = await instantiateWat(HOST_CALL, { "acme:host/api@1.2.0": api });
  assert.equal(await instance.call("shout", ["hey"]), "HEY");
  assert.equal(await instance.call("try", [1]), 2);
  await assert.rejects(instance.call("try", [11]), (error) => error instanceof ComponentError && error.payload === "too large");
});

test("a guest cannot catch what a host function throws, and the caller gets that very error", async () => {
  const instance = await instantiateWat(HOST_CALL, { "acme:host/api@1.2.0": api });
  await assert.rejects(
    instance.call("swallow"),
    (error) => error instanceof TypeError && error.message === "a mistake of the host",
  );
});

test("a host function that answers with a wrong value is named", async () => {
  const instance = await instantiateWat(HOST_CALL, { "acme:host/api@1.2.0": { ...api, shout: () => 5 } });
  await assert.rejects(instance.call("shout", ["hey"]), isStarlane("engine/bad-value", /acme:host\/api@1\.2\.0#shout answered/));
});

test("imports are served by WIT names, compatible versions and names without a version", async () => {
  const component = await compileWat(HOST_CALL);
  const witNames = { shout: api.shout, "may-fail": api.mayFail };
  for (const name of ["acme:host/api@1.2.0", "acme:host/api@1.9.1", "acme:host/api"]) {
    assert.equal(await (await component.instantiate({ [name]: witNames })).call("shout", ["a"]), "A");
  }
  await assert.rejects(component.instantiate({ "acme:host/api@2.0.0": api }), isStarlane("engine/missing-import"));
});

test("names from a guest reach only what the host put there", async () => {
  class Api {
    greet(): number {
      return 1;
    }
  }
  const source = (name: string): string => `(component
    (import "acme:host/api" (instance $api (export "${name}" (func (result u32)))))
    (core func $f (canon lower (func $api "${name}")))
    (core module $M (import "" "f" (func $f (result i32))) (func (export "f") (result i32) (call $f)))
    (core instance $m (instantiate $M (with "" (instance (export "f" (func $f))))))
    (func (export "run") (result u32) (canon lift (core func $m "f"))))`;
  assert.equal(await (await instantiateWat(source("greet"), { "acme:host/api": new Api() })).call("run"), 1);
  for (const name of ["constructor", "to-string", "value-of", "has-own-property"]) {
    for (const host of [new Api(), {}, Api, () => 1]) {
      await assert.rejects(instantiateWat(source(name), { "acme:host/api": host }), isStarlane("engine/missing-import"), name);
    }
  }
});

test("every import that nothing provides is listed at once", async () => {
  const component = await compileWat(HOST_CALL);
  await assert.rejects(component.instantiate({}), (error) => {
    assert.ok(error instanceof StarlaneError);
    assert.equal(error.code, "engine/missing-import");
    assert.deepEqual(error.data?.missing, ["acme:host/api@1.2.0#shout", "acme:host/api@1.2.0#may-fail"]);
    return true;
  });
});

const COUNTER = `(component $Root
  (component $C
    (core module $D (func (export "dtor") (param i32) (global.set $dropped (local.get 0)))
      (global $dropped (export "dropped") (mut i32) (i32.const 0)))
    (core instance $d (instantiate $D))
    (type $counter' (resource (rep i32) (dtor (core func $d "dtor"))))
    (core func $new (canon resource.new $counter'))
    (core module $M
      (import "" "new" (func $new (param i32) (result i32)))
      (import "" "dropped" (global $dropped (mut i32)))
      (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
      (func (export "get") (param i32) (result i32) (local.get 0))
      (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
      (func (export "dropped") (result i32) (global.get $dropped)))
    (core instance $m (instantiate $M (with "" (instance (export "new" (func $new)) (export "dropped" (global $d "dropped"))))))
    (export $counter "counter" (type $counter'))
    (func (export "[constructor]counter") (param "n" u32) (result (own $counter)) (canon lift (core func $m "make")))
    (func (export "[method]counter.get") (param "self" (borrow $counter)) (result u32) (canon lift (core func $m "get")))
    (func (export "[static]counter.sum") (param "a" (borrow $counter)) (param "b" (borrow $counter)) (result u32) (canon lift (core func $m "sum")))
    (func (export "dropped") (result u32) (canon lift (core func $m "dropped"))))
  (instance $c (instantiate $C))
  (export "acme:count/api@1.0.0" (instance $c)))`;

interface CounterApi {
  readonly Counter: {
    new (n: number): { get(): number } & Disposable;
    sum(a: object, b: object): number;
  };
  dropped(): number;
}

test("a guest's resource is a class with methods, statics and disposal", async () => {
  const instance = await instantiateWat(COUNTER);
  const { Counter, dropped } = instance.exports["acme:count/api@1.0.0"] as CounterApi;
  const seven = new Counter(7);
  assert.ok(seven instanceof Counter);
  assert.equal(Counter.name, "Counter");
  assert.equal(seven.get(), 7);
  assert.equal(Counter.sum(seven, new Counter(5)), 12);
  seven[Symbol.dispose]();
  assert.equal(dropped(), 7);
  assert.throws(() => seven.get(), isStarlane("engine/bad-value", /dropped/));
  seven[Symbol.dispose]();
  assert.equal(instance.exports.api, instance.exports["acme:count/api@1.0.0"], "the short name of an interface works too");
});

test("a resource of one instance is refused by another", async () => {
  const component = await compileWat(COUNTER);
  const one = (await component.instantiate()).exports.api as CounterApi;
  const other = (await component.instantiate()).exports.api as CounterApi;
  assert.throws(() => other.Counter.sum(new one.Counter(1), new other.Counter(2)), isStarlane("engine/bad-value"));
});

test("a host's resource passes through a guest as the very object", async () => {
  const source = `(component
    (import "acme:files/api" (instance $api
      (export "file" (type $file (sub resource)))
      (export "open" (func (result (own $file))))
      (export "[method]file.size" (func (param "self" (borrow $file)) (result u32)))))
    (alias export $api "file" (type $file))
    (core func $open (canon lower (func $api "open")))
    (core func $size (canon lower (func $api "[method]file.size")))
    (core func $drop (canon resource.drop $file))
    (core module $M
      (import "" "open" (func $open (result i32)))
      (import "" "size" (func $size (param i32) (result i32)))
      (import "" "drop" (func $drop (param i32)))
      (func (export "measure") (result i32) (local $h i32) (local $n i32)
        (local.set $h (call $open))
        (local.set $n (call $size (local.get $h)))
        (call $drop (local.get $h))
        (local.get $n))
      (func (export "open") (result i32) (call $open)))
    (core instance $m (instantiate $M (with "" (instance (export "open" (func $open)) (export "size" (func $size)) (export "drop" (func $drop))))))
    (func (export "measure") (result u32) (canon lift (core func $m "measure")))
    (func (export "open") (result (own $file)) (canon lift (core func $m "open"))))`;
  let closed = 0;
  class File {
    size(): number {
      return 42;
    }
    [Symbol.dispose](): void {
      closed++;
    }
  }
  const file = new File();
  const instance = await instantiateWat(source, { "acme:files/api": { File, open: () => file } });
  assert.equal(await instance.call("measure"), 42);
  assert.equal(closed, 1);
  assert.equal(await instance.call("open"), file);
  assert.equal(closed, 1);
});

test("an unknown export is answered with the nearest name", async () => {
  const instance = await instantiateWat(COUNTER);
  await assert.rejects(instance.call("acme:count/api@1.0.0#droped"), (error) => {
    assert.ok(error instanceof StarlaneError);
    assert.equal(error.code, "engine/unknown-export");
    assert.match(error.cure ?? "", /acme:count\/api@1\.0\.0#dropped/);
    return true;
  });
  assert.equal(await instance.call("acme:count/api#dropped"), 0, "an interface is found without its version");
});

test("a small memory cannot mean an enormous value", async () => {
  // 4 000 lists that all point to the same 16 000 strings of 1 byte: 64 million strings.
  const instance = await instantiateWat(
    withMemory(
      `(func (export "bomb") (result i32) (local $i i32)
         (memory.grow (i32.const 16)) drop
         (loop $inner
           (i32.store (i32.add (i32.const 65536) (i32.mul (local.get $i) (i32.const 8))) (i32.const 8))
           (i32.store (i32.add (i32.const 65540) (i32.mul (local.get $i) (i32.const 8))) (i32.const 1))
           (br_if $inner (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 16000))))
         (local.set $i (i32.const 0))
         (loop $outer
           (i32.store (i32.add (i32.const 262144) (i32.mul (local.get $i) (i32.const 8))) (i32.const 65536))
           (i32.store (i32.add (i32.const 262148) (i32.mul (local.get $i) (i32.const 8))) (i32.const 16000))
           (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4000))))
         (i32.store (i32.const 16) (i32.const 262144)) (i32.store (i32.const 20) (i32.const 4000)) (i32.const 16))`,
      `${INSTANCE} (func (export "bomb") (result (list (list string))) (canon lift (core func $m "bomb") ${OPTIONS}))`,
    ),
  );
  await assert.rejects(instance.call("bomb"), isStarlane("engine/trap", /more than/));
});

test("a module of more than 8 MB runs, or the error says where it can", async () => {
  const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]);
  const section = (id: number, contents: readonly Uint8Array[]): Uint8Array[] => [
    Uint8Array.from([id, ...leb(contents.reduce((sum, { length }) => sum + length, 0))]),
    ...contents,
  ];
  const size = 9 * 1024 * 1024;
  const module = [
    Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
    ...section(5, [Uint8Array.from([1, 0, ...leb(200)])]),
    ...section(11, [Uint8Array.from([1, 0, 0x41, 0, 0x0b, ...leb(size)]), new Uint8Array(size)]),
  ];
  const instance = Uint8Array.from([1, 0, 0, 0]);
  const component = [Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), ...section(1, module), ...section(2, [instance])];
  const bytes = new Uint8Array(await new Blob(component.map((part) => Uint8Array.from(part))).arrayBuffer());
  const compiled = await compile(bytes);
  try {
    assert.deepEqual(Object.keys((await compiled.instantiate()).exports), []);
  } catch (error) {
    // Pages may not instantiate such modules on their main thread.
    assert.ok(error instanceof StarlaneError && "document" in globalThis, String(error));
    assert.match(error.cure ?? "", /worker/);
  }
});

// Test support: manifests without mistakes, that between them use every key that is built.

export const GOOD_MANIFESTS: Readonly<Record<string, string>> = {
  "as in the guide": `starlane: v1
name: acme/welcome              # space/app
version: 1.4.0
description: Greets people.

components:
  text: ./text.wasm
  greeter: ./greeter
  shop: { from: ./shop/starlane.yaml, with: { greeting: Hi, volume: 3 } }

operations:
  welcome:
    input:
      name: { type: string, trim: true, max: 80, pattern: "[^<>]*" }
      lang: { type: string, default: en }
    output: { greeting: string }
    nodes:
      hi: { uses: "greeter::greet", timeout: 500ms, retry: { attempts: 3, backoff: 100ms }, concurrency: 4 }
    flow: |
      <>.name -> text::trim -> hi.name
      <>.lang -> hi.lang
      hi ?? "Hello, stranger" -> <>.greeting

tests: [ { operation: welcome, input: { name: " Ada " }, expect: { greeting: "Hello Ada" } } ]
`,
  "the least": "starlane: v1\n",
  "empty sections": "starlane: v1\ncomponents:\noperations:\nparameters:\ntypes:\ntests:\n",
  "parameters and types": `starlane: v1
types: |
  record person { name: string, age: u8 }
  enum color { red, green }
parameters:
  greeting: { type: string, default: "Hello", description: How to greet. }
  who: { type: person, default: { name: Ada, age: 36 } }
  title: string
  count: { type: u64, default: "18446744073709551615" }
components:
  text: ../text.wasm
  shop: { from: ./shop, with: { title: "\${config.title}", all: [ "\${config.who}", { deep: "$\${x}" } ] } }
operations:
  greet:
    description: Greets.
    input:
      who: person
      shade: { type: color, one-of: [ red ], default: red }
      title: { type: string, default: "\${config.title}" }
      free: { trim: true }
    output:
      text: { type: string, description: The greeting. }
      lines: list<string>
    nodes:
      hi: { uses: "text::acme:text/case@1.0.0#upper", with: { greeting: "\${config.greeting}, you", who: "\${config.who}" } }
    flow: |
      "\${config.greeting}" -> hi.a   # "\${config.unknown}" in a comment
      hi -> <>.text
`,
  "all rules": `starlane: v1
components: { text: ./text.wasm }
operations:
  clean:
    input:
      a: { type: string, trim: true, lowercase: true, normalize: NFC, min: 1, max: 10, pattern: "[a-z]+", format: hostname }
      b: { type: "option<list<string>>", uppercase: true, one-of: [ A, B ] }
      c: { type: f64, min: -1.5, max: 1.5 }
      d: { type: "list<u8>", max: 3 }
      e: { type: "map<string, u32>", min: 1 }
    flow: <>.a -> text::trim -> <>.a
`,
  tests: `starlane: v1
components: { text: ./text.wasm }
operations:
  greet:
    input: { name: string }
    output: { greeting: string, rows: "list<string>" }
    flow: <>.name -> text::greet -> <>
tests:
  - ./tests.yaml
  - { name: by name, operation: greet, input: { name: Ada }, expect: { greeting: { matches: "Hello .*" }, rows: { length: { at-least: 1 } } } }
  - { operation: greet, seed: 7, timestamp: 2026-08-01T12:00:00Z, input: { name: x }, expect: { "$.rows[0]": a, greeting: { exactly: { any: 1 } } } }
  - { operation: greet, timestamp: 0, input: { nobody: 1 }, expect: { error: { message: { contains: such }, code: cli/unknown-port } } }
  - { operation: greet, expect: { error: no such } }
`,
  "limits and isolation":
    "starlane: v1\nlimits: { memory: 64MiB, time: 2s, fuel: 2000000000, output: 1MiB }\nisolation: shared\n",
  "empty new sections": "starlane: v1\nresources:\ngrants:\nlimits:\ntriggers:\n",
  "resources and grants": `starlane: v1
parameters:
  db: { type: string, default: "\${env.DB:-sqlite:./data/app.db}" }
  count: { type: u32, default: "\${env.COUNT}" }
  token: { type: string, default: "\${secret.api-token}" }
components:
  greeter: ./greeter.wasm
  geo: ./geo.wasm
  idle: ./idle.wasm
  shop: { from: ./shop, with: { key: "\${secret.shop-key}", title: "\${config.count} of \${env.TITLE:-all}" } }
resources:
  cache: { keyvalue: "sqlite:./data/cache.db" }
  other: { keyvalue: "\${env.REDIS_URL}" }
  images: { blobs: "folder:./images" }
  broker: { messaging: "nats://\${secret.nats-user}:\${secret.nats-password}@nats.internal:4222" }
  db: { sql: "\${config.db}", migrations: ./migrations }
  data: { files: ./data }
  scratch: { files: "memory:" }
  home: { files: "\${env.DATA}" }
grants:
  greeter:
    cli: { args: [ --verbose, 5, "\${env.LEVEL:-1}" ], env: [ LANG, TZ ] }
    clock: real
    random: system
    files: { "/data": data, "/in": { from: scratch, readonly: true }, "/home/user": home }
    sockets: { connect: [ "db.internal:5432" ], listen: [ 9000 ] }
    http: [ "https://api.example.com", "GET,HEAD https://cdn.example.com/v1/*" ]
    config: { motto: "\${env.MOTTO}", LEVEL: 3, a.b: true, token: "\${config.token}" }
    keyvalue: { default: cache, sessions: other }
    blobs: { images: images }
    messaging: { orders.new: broker }
    sql: { main: db }
    calls: { "acme:geo/lookup": geo, "acme:geo/route@1.2.0": geo }
  geo: { cli: { env: { LANG: en, LEVEL: 3 } }, clock: virtual, random: seeded, cli: }
  idle:
`.replace(", cli: }", " }"),
  triggers: `starlane: v1
types: |
  enum state { open, done }
components:
  text: ./text.wasm
  site: ./site.wasm
  auth: ./auth.wasm
  gzip: ./gzip.wasm
  tool: ./tool.wasm
operations:
  hello:
    input: { name: string, lang: { type: string, default: en }, loud: option<bool> }
    output: { greeting: string }
    flow: <>.name -> text::greet -> <>.greeting
  find:
    input: { id: u32, status: "list<state>", limit: u64, since: option<string>, etag: string, session: string, rest: "list<string>" }
    output: { rows: "list<string>", link: string }
    flow: <>.id -> text::find -> <>
  create:
    input: { title: string, first-name: string, tags: { type: "list<string>", default: [] } }
    output: { id: u32 }
    flow: <>.title -> text::create -> <>.id
  upload: { input: { name: string, image: "list<u8>" }, flow: "<>.image -> text::upload -> <>.url" }
triggers:
  - http: 8080
    before: [ { component: gzip }, auth::check ]
    after: [ text::note, { operation: text::stamp, headers: { Content-Type: kind }, as: stamp, set: { X-Stamp: stamp } } ]
    routes:
      - GET /hello/{name} -> hello
      - GET /hello/{name}/loudly?loud=option<bool>&lang -> hello
      - POST,PUT /orders?tags=string[] -> create
      - "* /any/{path...} -> text::anything"
      - /app/* -> component: site
      - /assets/* -> static: ./public
      - /favicon.ico -> static: ./public/favicon.ico
      - /spa/* -> static: ./spa
        fallback: index.html
        index: start.html
        max-age: 1h
        limits: { concurrency: 10 }
      - "/api/* -> proxy: http://localhost:3000/v1"
      - "/old/* -> redirect: /new/*"
      - route: "/ -> redirect https://example.com/start"
        status: 302
      - route: "/chat/{room} -> websocket: text::talk"
        in: lines
        out: answers
        cookies: { session: session }
      - GET /chat/{room} -> text::history
      - route: GET /users/{id:u32}/{rest...:string[]}?status=state[]&limit=u32=20 -> find
        query: { since: { type: option<string> } }
        headers: { If-Match: etag }
        cookies: { SID: { port: session, type: string, default: none } }
        answer: { port: rows, status: 206, type: "application/json; charset=utf-8", headers: { Link: link } }
        status: { 404: not-found, 409: [ taken, conflict ], 422: "*" }
        before:
          - operation: auth::check
            cookies: { SID: token }
            headers: { authorization: { port: header, type: option<string> } }
            status: { 401: [ gone, stale ], 403: "*" }
            redirect: { new: /sign-in?from=page, away: https://example.com/ }
            as: user
            set: { X-User: user }
        limits: { body: 1MiB, time: 5s, concurrency: 100 }
        description: Finds orders.
      - route: POST /people -> create
        body: { types: [ application/json ], fields: { firstName: first-name, Title: { port: title, type: string } } }
        answer: id
        status:
      - route: PUT /images/{name} -> upload
        body: { port: image, as: bytes, types: [ image/png, image/* ] }
      - route: DELETE /images/{name} -> text::remove
        body: false
      - GET /größe -> text::size
      - GET /a%20b -> text::space
  - http: { port: 8443, host: "::1", tls: { cert: ./tls/cert.pem, key: "\${secret.tls-key}" }, hostnames: [ api.example.com, "*.example.com" ], limits: { body: 10MiB, headers: 16KiB, connections: 10000, idle: 60s } }
    routes: [ "/* -> proxy: \${env.UPSTREAM:-http://localhost:3000}" ]
  - cli: hello
  - cli: { operation: find, name: look-up, description: Finds., arguments: [ id, rest ], short: { l: limit, S: status }, stdin: since }
  - cli: { component: tool }
  - schedule: "0 3 * * MON-FRI -> text::cleanup"
  - schedule: { cron: "*/5 * * * * *", zone: Europe/Berlin, operation: hello, input: { name: Ada }, missed: once, overlap: true }
`,
  "given in tests": `starlane: v1
components: { text: ./text.wasm }
operations:
  greet: { input: { name: string }, output: { greeting: string }, flow: "<>.name -> text::greet -> <>" }
tests:
  - operation: greet
    input: { name: Ada }
    given:
      http:
        - { request: "GET https://api.example.com/today?x=1", respond: 404 }
        - { request: https://api.example.com/now, respond: { body: 5 } }
        - request: { method: POST, url: { matches: "https://.*" }, headers: { X-Key: { any: true } }, body: { name: Ada, tags: { contains: a } } }
          respond: { status: 201, headers: { Location: /1, retry-after: 3 }, json: { id: 1 } }
          times: 3
        - { request: { url: "http://localhost:8080" }, respond: { base64: "SGVsbG8=" } }
      keyvalue: { default: { greeting: Hello, count: 3, raw: { base64: AAE= }, data: { json: { a: [ 1 ] } } } }
      blobs: { images: { a/b.svg: <svg/> } }
      sql: [ "insert into links values ('a', 'b')" ]
      files: { "/data/names.txt": Ada }
      faults: [ { capability: keyvalue, after: 2, times: 1, latency: 2s, error: refused }, { capability: sql, disconnect: true } ]
  - { operation: greet, input: { name: x }, given: { sql: { main: [ "select 1" ] } } }
  - { operation: greet, input: { name: x }, given: {} }
`,
  JSON: JSON.stringify(
    {
      starlane: "v1",
      components: { text: "./text.wasm" },
      operations: { greet: { input: { y: "string" }, flow: '<>.y -> text::greet.y\n"no" -> <>.on' } },
    },
    null,
    "\t",
  ),
};

// A stand-in for a weather service: node service.mjs [PORT]. Tells on standard error what it was asked.
import { createServer } from "node:http";

const REPORTS = {
  berlin: { place: "Berlin", celsius: 11.5, sky: "light rain" },
  lisboa: { place: "Lisboa", celsius: 21, sky: "clear" },
  "são paulo": { place: "São Paulo", celsius: 26.5, sky: "thunder" },
};

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://stand-in");
  const report = pathname === "/current" ? REPORTS[searchParams.get("place")?.toLowerCase() ?? ""] : undefined;
  process.stderr.write(`${request.method} ${request.url}\n`);
  response.writeHead(report === undefined ? 404 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify(report ?? { error: "no such place" }));
});

server.listen(Number(process.argv[2] ?? 8090), "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}\n`);
});

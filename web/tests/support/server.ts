/** A stand-in for the network in unit tests: answers by method and path, and remembers what was asked. */
import { vi } from "vitest";

type Handler = (request: Request, call: number) => Response | Promise<Response>;

export interface Asked {
  method: string;
  path: string;
  headers: Headers;
  body: string;
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
}

export const problem = (status: number, code: string, detail = code) =>
  json({ type: "about:blank", title: detail, status, code, detail, correlation_id: "c-1" }, status);

/** `{"GET /api/v1/home": handler}`; what is not listed answers 404. */
export function serve(routes: Record<string, Handler>): Asked[] {
  const asked: Asked[] = [];
  const calls = new Map<string, number>();
  vi.stubGlobal("fetch", async (input: Request | string, init?: RequestInit) => {
    const request = input instanceof Request ? input : new Request(input, init);
    const path = new URL(request.url).pathname;
    const name = `${request.method} ${path}`;
    asked.push({ method: request.method, path, headers: request.headers, body: await request.clone().text() });
    const call = (calls.get(name) ?? 0) + 1;
    calls.set(name, call);
    const handler = routes[name];
    return handler ? handler(request, call) : problem(404, "not_found");
  });
  return asked;
}

export const count = (asked: Asked[], method: string, path: string) =>
  asked.filter((one) => one.method === method && one.path === path).length;

/** Where a link may send somebody after logging in or choosing a profile. */
import { expect, it } from "vitest";
import { ownAddress } from "@/lib/navigation";

it.each(["/", "/title/t3", "/search?q=a%2F%2Fb", "/watch/t3?x=//y"])("goes on to %s", (address) => {
  expect(ownAddress(address)).toBe(address);
});

it.each([
  "//evil.example",
  "///evil.example",
  "/\\evil.example",
  "/\t/evil.example",
  "\\\\evil.example",
  "https://evil.example",
  "javascript:alert(1)",
  "title/t3",
  "",
  undefined,
  7,
])("goes nowhere for %j", (address) => {
  expect(ownAddress(address)).toBeUndefined();
});

/** Languages to choose from for a file of subtitles. */
import { describe, expect, it } from "vitest";
import { languageOptions } from "@/lib/subtitle-languages";

describe("languages of subtitles", () => {
  it("are named, each once, in the order of their names", () => {
    const options = languageOptions("de");
    const labels = options.map(({ label }) => label);
    expect(labels).toEqual(labels.toSorted((a, b) => a.localeCompare(b, "en")));
    expect(new Set(labels).size).toBe(labels.length);
    expect(options).toContainEqual({ value: "pt-BR", label: "Brazilian Portuguese" });
  });

  it("hold what a file has, however rare", () => {
    const count = languageOptions(null).length;
    expect(languageOptions("haw")).toContainEqual({ value: "haw", label: "Hawaiian" });
    expect(languageOptions("haw")).toHaveLength(count + 1);
    expect(languageOptions("de")).toHaveLength(count);
  });
});

// From pressing play to the first picture on the screen, in milliseconds, several times; and what the home page loads.
import { arrive, enter, press } from "./viewer.mjs";

export default async ({ page, context, url, input }) => {
  await enter(page, url, input.person);
  const home = await context.newPage();
  await home.goto(url, { waitUntil: "networkidle" });
  const scripts = await home.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter((entry) => entry.initiatorType === "script" || entry.name.endsWith(".js"))
      .map((entry) => ({ name: new URL(entry.name).pathname, bytes: entry.encodedBodySize })),
  );
  await home.close();

  const times = [];
  for (let round = 0; round < input.rounds; round += 1) {
    await arrive(page, url, input.title);
    times.push(await press(page));
  }
  return { times, scripts };
};

// Looks at a page that needs no server: proof that the browser, the driver and the accessibility check work.
export default async ({ page, input, axe, shot }) => {
  await page.setContent(`<html lang="en"><title>Hello</title><main><h1>${input.heading}</h1><img src="data:,"></main></html>`);
  return {
    heading: await page.textContent("h1"),
    findings: (await axe()).map(({ id }) => id),
    picture: await shot("hello"),
  };
};

/** The fixture server as tests see it. */
export interface Fixture {
  url: string;
  // biome-ignore lint/suspicious/noExplicitAny: the fixture's memory is a bag of data that tests set.
  state: any;
  reset: () => void;
  stop: () => Promise<void>;
}

export function startFixture(options?: { port?: number; media?: string }): Promise<Fixture>;

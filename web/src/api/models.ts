/** The list of the recommender's models, newest first. */
import { infiniteQueryOptions } from "@tanstack/react-query";
import { models } from "./admin-endpoints";

export const modelsQuery = infiniteQueryOptions({
  queryKey: ["models"],
  queryFn: ({ pageParam, signal }) => models(pageParam, signal),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last) => last.next_cursor ?? undefined,
});

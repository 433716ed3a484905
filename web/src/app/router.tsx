/** Every address of the page, the older aliases among them, and what is loaded when. */
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import type { BrowseFilter, SearchQuery } from "@/api/endpoints";
import { browseQuery, genresQuery, homeQuery, meQuery, similarQuery, titleQuery } from "@/api/queries";
import { ErrorState, NotFound } from "@/components/states";
import { noteNavigation, ownAddress } from "@/lib/navigation";
import { HomePage } from "@/pages/home";
import { House, Root } from "./root";

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Root,
  notFoundComponent: NotFound,
  errorComponent: ({ error, reset }) => (
    <main id="content" className="page">
      <ErrorState error={error} retry={reset} heading="h1" />
    </main>
  ),
});

const KINDS = ["film", "series", "episode"] as const;
const SORTS = ["popularity", "rating", "year", "name", "added"] as const;

function oneOf<T extends string>(known: readonly T[], value: unknown): T | undefined {
  return known.find((entry) => entry === value);
}

const text = (value: unknown) => (value === undefined || value === "" ? undefined : String(value));
const year = (value: unknown) =>
  Number.isInteger(Number(value)) && value !== "" && value != null ? Number(value) : undefined;
const next = (search: Record<string, unknown>): { next?: string } => ({ next: ownAddress(search.next) });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: next,
  component: lazyRouteComponent(() => import("@/pages/login"), "LogInPage"),
});
const register = createRoute({
  getParentRoute: () => root,
  path: "/register",
  validateSearch: next,
  component: lazyRouteComponent(() => import("@/pages/login"), "RegisterPage"),
});
const setUp = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  validateSearch: (raw: Record<string, unknown>): { token?: string } => ({ token: text(raw.token) }),
  component: lazyRouteComponent(() => import("@/pages/login"), "SetUpPage"),
});
const profiles = createRoute({
  getParentRoute: () => root,
  path: "/profiles",
  validateSearch: next,
  component: lazyRouteComponent(() => import("@/pages/profiles"), "ProfilesPage"),
});
const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  component: lazyRouteComponent(() => import("@/pages/welcome"), "WelcomePage"),
});
const watch = createRoute({
  getParentRoute: () => root,
  path: "/watch/$id",
  validateSearch: (raw: Record<string, unknown>): { party?: string } => ({ party: text(raw.party) }),
  component: lazyRouteComponent(() => import("@/pages/watch"), "WatchPage"),
});

const together = createRoute({
  getParentRoute: () => root,
  path: "/together/$id",
  component: lazyRouteComponent(() => import("@/pages/together"), "TogetherPage"),
});

const house = createRoute({
  getParentRoute: () => root,
  id: "house",
  component: House,
  loader: ({ context }) => void context.client.prefetchQuery(meQuery),
});

const home = createRoute({
  getParentRoute: () => house,
  path: "/",
  component: HomePage,
  loader: ({ context }) => void context.client.prefetchQuery(homeQuery),
});

const title = createRoute({
  getParentRoute: () => house,
  path: "/title/$id",
  component: lazyRouteComponent(() => import("@/pages/title"), "TitlePage"),
  loader: ({ context, params }) => {
    void context.client.prefetchQuery(titleQuery(params.id));
    void context.client.prefetchQuery(similarQuery(params.id));
  },
});

const search = createRoute({
  getParentRoute: () => house,
  path: "/search",
  validateSearch: (raw: Record<string, unknown>): SearchQuery => ({
    q: text(raw.q),
    genre: text(raw.genre),
    kind: oneOf(KINDS, raw.kind),
  }),
  component: lazyRouteComponent(() => import("@/pages/search"), "SearchPage"),
});

const browse = createRoute({
  getParentRoute: () => house,
  path: "/browse",
  validateSearch: (raw: Record<string, unknown>): BrowseFilter => ({
    genre: text(raw.genre),
    kind: oneOf(KINDS, raw.kind),
    year_min: year(raw.year_min),
    year_max: year(raw.year_max),
    sort: oneOf(SORTS, raw.sort),
  }),
  loaderDeps: ({ search }) => search,
  loader: ({ context, deps }) => {
    void context.client.prefetchInfiniteQuery(browseQuery(deps));
    void context.client.prefetchQuery(genresQuery);
  },
  component: lazyRouteComponent(() => import("@/pages/browse"), "BrowsePage"),
});

const myList = createRoute({
  getParentRoute: () => house,
  path: "/my-list",
  component: lazyRouteComponent(() => import("@/pages/my-list"), "MyListPage"),
});
const profile = createRoute({
  getParentRoute: () => house,
  path: "/profile",
  component: lazyRouteComponent(() => import("@/pages/profile/layout"), "ProfileLayout"),
});
const profileTab = <const P extends string>(path: P, load: () => Promise<{ Section: () => React.ReactNode }>) =>
  createRoute({ getParentRoute: () => profile, path, component: lazyRouteComponent(load, "Section") });
const profileTabs = [
  profileTab("/", () => import("@/pages/profile/history")),
  profileTab("/ratings", () => import("@/pages/profile/ratings")),
  profileTab("/preferences", () => import("@/pages/profile/preferences")),
  profileTab("/security", () => import("@/pages/profile/security")),
];

const admin = createRoute({
  getParentRoute: () => house,
  path: "/admin",
  component: lazyRouteComponent(() => import("@/pages/admin/layout"), "AdminLayout"),
});
const adminTab = <const P extends string>(path: P, load: () => Promise<{ Section: () => React.ReactNode }>) =>
  createRoute({ getParentRoute: () => admin, path, component: lazyRouteComponent(load, "Section") });
const adminTabs = [
  createRoute({
    getParentRoute: () => admin,
    path: "/",
    beforeLoad: () => {
      throw redirect({ to: "/admin/titles", replace: true });
    },
  }),
  createRoute({
    getParentRoute: () => admin,
    path: "/titles",
    validateSearch: (raw: Record<string, unknown>): { q?: string; upload?: string; edit?: string } => ({
      q: text(raw.q),
      upload: text(raw.upload),
      edit: text(raw.edit),
    }),
    component: lazyRouteComponent(() => import("@/pages/admin/titles"), "Section"),
  }),
  adminTab("/import", () => import("@/pages/admin/imports")),
  adminTab("/jobs", () => import("@/pages/admin/jobs")),
  adminTab("/models", () => import("@/pages/admin/models")),
  adminTab("/experiments", () => import("@/pages/admin/experiments")),
  adminTab("/users", () => import("@/pages/admin/users")),
];

/** Older addresses that people have bookmarked. */
const aliases = [
  createRoute({
    getParentRoute: () => root,
    path: "/homepage",
    beforeLoad: () => {
      throw redirect({ to: "/", replace: true });
    },
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/content",
    validateSearch: (raw: Record<string, unknown>): { id?: string } => ({ id: text(raw.id) }),
    beforeLoad: ({ search: { id } }) => {
      throw id
        ? redirect({ to: "/title/$id", params: { id }, replace: true })
        : redirect({ to: "/browse", replace: true });
    },
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/video",
    validateSearch: (raw: Record<string, unknown>): { id?: string } => ({ id: text(raw.id) }),
    beforeLoad: ({ search: { id } }) => {
      throw id ? redirect({ to: "/watch/$id", params: { id }, replace: true }) : redirect({ to: "/", replace: true });
    },
  }),
];

const tree = root.addChildren([
  login,
  register,
  setUp,
  profiles,
  welcome,
  watch,
  together,
  house.addChildren([
    home,
    title,
    search,
    browse,
    myList,
    profile.addChildren(profileTabs),
    admin.addChildren(adminTabs),
  ]),
  ...aliases,
]);

/** Search parameters stay plain text: an id of digits must not become a number. */
function parsePlain(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search));
}

function stringifyPlain(search: Record<string, unknown>): string {
  const entries = Object.entries(search).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const query = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
  return query ? `?${query}` : "";
}

export function makeRouter(client: QueryClient) {
  const router = createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    parseSearch: parsePlain,
    stringifySearch: stringifyPlain,
  });
  router.history.subscribe(({ action }) => noteNavigation(action.type));
  return router;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

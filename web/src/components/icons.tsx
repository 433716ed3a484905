/** The line icons of the house, drawn on a 24 grid; decorative, their buttons carry the names. */
import type { ReactNode } from "react";

const shapes = {
  play: (
    <path
      d="M7 4.6v14.8c0 .8.9 1.3 1.6.8l11-7.4c.6-.4.6-1.2 0-1.6l-11-7.4C7.9 3.3 7 3.8 7 4.6Z"
      fill="currentColor"
      stroke="none"
    />
  ),
  pause: <path d="M7 4.5h3.5v15H7zM13.5 4.5H17v15h-3.5z" fill="currentColor" stroke="none" />,
  plus: <path d="M12 5v14M5 12h14" />,
  check: <path d="m5 12.5 4.5 4.5L19 7.5" />,
  like: (
    <path d="M7 10.5v9H4.5v-9H7Zm0 0 4-7c1.5 0 2.5 1 2.5 2.5V9.5H18c1.3 0 2.2 1.2 1.9 2.4l-1.5 6c-.2.9-1 1.6-2 1.6H7" />
  ),
  dislike: (
    <path d="M17 13.5v-9h2.5v9H17Zm0 0-4 7c-1.5 0-2.5-1-2.5-2.5v-3.5H6c-1.3 0-2.2-1.2-1.9-2.4l1.5-6c.2-.9 1-1.6 2-1.6H17" />
  ),
  info: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M12 11v5.5M12 7.6v.1" />
    </>
  ),
  why: <path d="M9.5 20h5M10 17.5c0-2.2-3.5-3.5-3.5-7.5a5.5 5.5 0 0 1 11 0c0 4-3.5 5.3-3.5 7.5Z" />,
  star: <path d="m12 3.5 2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9L3.5 9.7l5.9-.8L12 3.5Z" />,
  starFull: (
    <path d="m12 3.5 2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9L3.5 9.7l5.9-.8L12 3.5Z" fill="currentColor" />
  ),
  home: <path d="m4 11 8-7 8 7v8.5h-5.5v-5h-5v5H4V11Z" />,
  browse: <path d="M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z" />,
  search: (
    <>
      <circle cx="11" cy="11" r="6.5" />
      <path d="m16 16 4.5 4.5" />
    </>
  ),
  list: <path d="M6 4h12v16l-6-4-6 4V4Z" />,
  desk: <path d="M4 6h16M4 12h16M4 18h10" />,
  left: <path d="m14.5 5-7 7 7 7" />,
  right: <path d="m9.5 5 7 7-7 7" />,
  back: <path d="M20 12H4.5m6.5-7-7 7 7 7" />,
  close: <path d="m6 6 12 12M18 6 6 18" />,
  dots: <path d="M5 12h.01M12 12h.01M19 12h.01" strokeWidth="3" />,
  eye: (
    <>
      <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Z" />
      <circle cx="12" cy="12" r="2.8" />
    </>
  ),
  eyeOff: (
    <path d="M4 4l16 16M9.5 6c.8-.3 1.6-.5 2.5-.5 6 0 9.5 6.5 9.5 6.5a17 17 0 0 1-3 3.7M6 7.7C3.8 9.5 2.5 12 2.5 12S6 18.5 12 18.5c1.4 0 2.7-.4 3.8-.9" />
  ),
  pencil: <path d="M4 20h4L19 9l-4-4L4 16v4Z" />,
  bin: <path d="M5 7h14M10 4h4M7 7l.8 13h8.4L17 7M10.5 11v5.5M13.5 11v5.5" />,
  upload: <path d="M12 16V5m-5 5 5-5 5 5M5 19.5h14" />,
  user: (
    <>
      <circle cx="12" cy="8" r="4" />
      <path d="M4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5" />
    </>
  ),
  swap: <path d="M4 8h14l-3.5-3.5M20 16H6l3.5 3.5" />,
  out: <path d="M10 4H5v16h5M14 8l4 4-4 4M18 12H9" />,
  retry: <path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4v5h-5" />,
  volume: <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4ZM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11" />,
  muted: <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4ZM16 9.5l5 5M21 9.5l-5 5" />,
  gear: (
    <>
      <circle cx="12" cy="12" r="3" />
      <path d="M12 3.5v2.5M12 18v2.5M20.5 12H18M6 12H3.5M18 6l-1.8 1.8M7.8 16.2 6 18M18 18l-1.8-1.8M7.8 7.8 6 6" />
    </>
  ),
  full: <path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" />,
  unfull: <path d="M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5" />,
  pip: (
    <>
      <path d="M3.5 5h17v14h-17z" />
      <path d="M12 12h6v4.5h-6z" fill="currentColor" />
    </>
  ),
  back10: <path d="M4.5 12A7.5 7.5 0 1 0 7 6.4L4.5 8.5M4.5 3.5v5h5" />,
  forward10: <path d="M19.5 12A7.5 7.5 0 1 1 17 6.4l2.5 2.1M19.5 3.5v5h-5" />,
  captions: (
    <>
      <path d="M3.5 5.5h17v13h-17z" />
      <path d="M6.5 14.5h5M14 14.5h3.5M6.5 11.5h3M12 11.5h5.5" />
    </>
  ),
  chapters: <path d="M4 6h.01M4 12h.01M4 18h.01M8.5 6H20M8.5 12H20M8.5 18H20" />,
  help: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M9.5 9.5A2.5 2.5 0 1 1 12 12.2v1.3M12 16.6v.1" />
    </>
  ),
  together: (
    <>
      <circle cx="8.5" cy="8.5" r="3.2" />
      <path d="M2.5 19c.6-3.6 3-5 6-5s5.4 1.4 6 5M15 5.6a3.2 3.2 0 0 1 0 5.8M17.5 14.4c2.2.6 3.6 2 4 4.6" />
    </>
  ),
  microphone: (
    <path d="M12 3.5a2.7 2.7 0 0 0-2.7 2.7v5a2.7 2.7 0 0 0 5.4 0v-5A2.7 2.7 0 0 0 12 3.5ZM6 11a6 6 0 0 0 12 0M12 17v3.5M9 20.5h6" />
  ),
  next: <path d="M6 5v14l10-7L6 5ZM18.5 5v14" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width="24"
      height="24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {shapes[name]}
    </svg>
  );
}

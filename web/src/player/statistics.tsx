/** How it goes, for who wants to know: asked for in the settings, read anew every second. */
import { type RefObject, useEffect, useState } from "react";
import { Icon } from "@/components/icons";
import { number, stars as oneDigit } from "@/lib/format";
import { locale } from "@/strings";
import { playerEn as words } from "@/strings/player-en";
import type { Engine } from "./engine";
import type { QualityMeter } from "./quality";
import { bufferedAhead } from "./use-video";

const EVERY_MS = 1000;
const BITS = 1_000_000;
const figures = words.figures;
const precise = new Intl.NumberFormat(locale, { maximumFractionDigits: 2, minimumFractionDigits: 2 });

interface StatisticsProps {
  element: RefObject<HTMLVideoElement | null>;
  engine: Engine | undefined;
  meter: QualityMeter;
  session: string;
  onClose: () => void;
}

export function Statistics({ element, engine, meter, session, onClose }: StatisticsProps) {
  const [, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((tick) => tick + 1), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const rows = element.current ? read(element.current, engine, meter, session) : [];
  return (
    <section className="figures" aria-label={words.statistics}>
      <button type="button" className="icon-button" aria-label={words.close} onClick={onClose}>
        <Icon name="close" />
      </button>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function read(video: HTMLVideoElement, engine: Engine | undefined, meter: QualityMeter, session: string) {
  const now = engine?.figures();
  const { total } = meter;
  const played = video.getVideoPlaybackQuality?.();
  const megabits = (bits: number | undefined) =>
    bits === undefined || !Number.isFinite(bits) ? figures.unknown : figures.megabits(precise.format(bits / BITS));
  const rung = now && now.rung > 0 ? figures.rungOf(now.rung, now.rungs) : undefined;
  const picture = [now?.width && now.height ? `${now.width} × ${now.height}` : undefined, rung, now?.codecs];
  const rows: [string, string][] = [
    [figures.rung, picture.filter((part) => part !== undefined).join(", ") || figures.unknown],
    [figures.line, now?.bitrate ? `${megabits(now.bandwidth)} / ${megabits(now.bitrate)}` : megabits(now?.bandwidth)],
    [figures.buffer, figures.seconds(oneDigit(bufferedAhead(video) - video.currentTime))],
    [
      figures.dropped,
      played ? figures.droppedOf(number(played.droppedVideoFrames), number(played.totalVideoFrames)) : figures.unknown,
    ],
    [figures.switches, number(total.switches)],
    [figures.stalls, figures.stallsOf(number(total.stalls), oneDigit(total.stalled_s))],
    [
      figures.startup,
      total.startup_s === undefined ? figures.unknown : figures.seconds(precise.format(total.startup_s)),
    ],
    [figures.session, session],
  ];
  return rows;
}

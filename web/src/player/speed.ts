/** A speed in words: `1×`, `1.25×`. */
import { locale } from "@/strings";
import { playerEn as words } from "@/strings/player-en";

const figures = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });

export const speedText = (speed: number) => words.speedAt(figures.format(speed));

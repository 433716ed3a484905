/** Quality, speed, and what goes by itself. */
import { playerEn as words } from "@/strings/player-en";
import type { Engine, EngineState } from "./engine";
import { SPEEDS, speedNear } from "./keyboard";
import { Choice, Panel, Switch } from "./panel";
import { preferences, usePreferences } from "./preferences";
import { speedText } from "./speed";

interface PanelProps {
  engine: Engine | undefined;
  state: EngineState;
  rate: number;
  onRate: (rate: number) => void;
  statistics: boolean;
  onStatistics: (on: boolean) => void;
  onClose: () => void;
}

export function SettingsPanel({ engine, state, rate, onRate, statistics, onStatistics, onClose }: PanelProps) {
  const { autoplay, singleKeys } = usePreferences();
  const auto = state.chosen === -1 && state.playingHeight ? words.autoAt(state.playingHeight) : words.auto;
  const qualities = [
    { value: -1, label: auto },
    ...state.qualities.map(({ index, height }) => ({ value: index, label: words.level(height) })),
  ];
  return (
    <Panel title={words.settingsTitle} onClose={onClose}>
      <Choice
        legend={words.quality}
        name="quality"
        options={qualities}
        chosen={state.chosen}
        onChoose={(index) => engine?.chooseQuality(index)}
      />
      <Choice
        legend={words.speed}
        name="speed"
        options={SPEEDS.map((speed) => ({ value: speed, label: speedText(speed) }))}
        chosen={speedNear(rate)}
        onChoose={onRate}
        short
      />
      <fieldset>
        <legend>{words.options}</legend>
        <Switch label={words.autoplay} on={autoplay} onChange={(on) => preferences.change({ autoplay: on })} />
        <Switch label={words.singleKeys} on={singleKeys} onChange={(on) => preferences.change({ singleKeys: on })} />
        <Switch label={words.statistics} on={statistics} onChange={onStatistics} />
      </fieldset>
    </Panel>
  );
}

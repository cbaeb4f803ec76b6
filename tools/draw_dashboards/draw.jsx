// Draws a dashboard with Grafana's own components. The panel plugins, templating and links of its server take no part.
import React, { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { FieldType, VizOrientation, createTheme, dateTime } from '@grafana/data';
import { BarGauge, BigValue, GlobalStyles, PanelChrome, Table, ThemeContext, TimeSeries } from '@grafana/ui';
import { configured, framesOf, rangeOf, transformed } from './queries.js';

const job = window.JOB;
const theme = createTheme({ colors: { mode: job.theme } });
const COLUMN = job.width / 24;
const ROW = 36;
const GAP = 8;
const LEAST_BAR = 19;
const MOST_BAR = 36;

function Panel({ panel }) {
  const [data, setData] = useState(null);
  const range = rangeOf(panel, job.dashboard, job.end_s);
  useEffect(() => {
    framesOf(panel, job.dashboard, range, job)
      .then((frames) => transformed(frames, panel))
      .then((frames) => setData(configured(frames, panel, theme)))
      .catch((error) => window.failed(`${panel.title}: ${error.stack}`));
  }, []);
  useEffect(() => {
    if (data) {
      window.drawn();
    }
  }, [data]);
  const { x, y, w, h } = panel.gridPos;
  const box = { position: 'absolute', left: x * COLUMN, top: y * ROW, width: w * COLUMN - GAP, height: h * ROW - GAP };
  const hint = panel.timeFrom && (panel.timeFrom === 'now/M' ? 'This month so far' : `Last ${panel.timeFrom}`);
  return (
    <div style={box}>
      <PanelChrome title={panel.title} description={panel.description} width={box.width} height={box.height}
        titleItems={hint && <span style={{ color: theme.colors.text.secondary, fontSize: 12 }}>{hint}</span>}>
        {(width, height) => data && <Content panel={panel} frames={data} range={range} width={width} height={height} />}
      </PanelChrome>
    </div>
  );
}

function Content({ panel, frames, range, width, height }) {
  const values = frames.flatMap((frame) => frame.fields.filter((field) => field.type === FieldType.number));
  if (!values.some((field) => field.values.some((value) => value !== null))) {
    return <Empty text={panel.fieldConfig.defaults.noValue} width={width} height={height} />;
  }
  const Drawn = { stat: Stat, timeseries: Lines, bargauge: Bars, table: Rows }[panel.type];
  return <Drawn panel={panel} frames={frames} values={values} range={range} width={width} height={height} />;
}

function Empty({ text, width, height }) {
  const style = { width, height, display: 'flex', alignItems: 'center', justifyContent: 'center', textAlign: 'center' };
  return <div style={{ ...style, color: theme.colors.text.secondary }}>{text}</div>;
}

function shown(field) {
  const value = field.values.filter((each) => each !== null).at(-1);
  const name = field.config.displayNameFromDS;
  return { ...field.display(value), title: name };
}

function Stat({ panel, values, width, height }) {
  const stacked = values.length > 1 && height > width;
  const [w, h] = stacked ? [width, height / values.length] : [width / values.length, height];
  const { colorMode, justifyMode, textMode } = panel.options;
  return (
    <div style={{ display: 'flex', flexDirection: stacked ? 'column' : 'row' }}>
      {values.map((field) => (
        <BigValue key={shown(field).title} theme={theme} value={shown(field)} width={w} height={h} colorMode={colorMode}
          graphMode="none" justifyMode={justifyMode} textMode={textMode} count={values.length} />
      ))}
    </div>
  );
}

function Lines({ panel, frames, range, width, height }) {
  const timeRange = { from: dateTime(range.startS * 1000), to: dateTime(range.endS * 1000) };
  const coloured = frames.map((frame, number) => ({
    ...frame,
    fields: frame.fields.map((field) => ({ ...field, state: { ...field.state, seriesIndex: number } })),
  }));
  return (
    <TimeSeries frames={coloured} structureRev={1} timeRange={{ ...timeRange, raw: timeRange }} timeZone="utc" width={width}
      height={height} legend={panel.options.legend} options={panel.options} />
  );
}

function Bars({ values, width, height }) {
  const bar = Math.max(LEAST_BAR, Math.min(MOST_BAR, height / values.length));
  const rows = values.slice(0, Math.floor((height + 6) / bar));
  const found = rows.map(shown);
  const longest = found.reduce((a, b) => ((a.title?.length ?? 0) > (b.title?.length ?? 0) ? a : b));
  const widest = found.map((each) => `${each.text}${each.suffix ?? ''}`).reduce((a, b) => (a.length > b.length ? a : b));
  const numbers = values.map((field) => field.values.at(-1));
  const factors = { ...longest, title: longest.title, text: widest, suffix: '' };
  return (
    <div>
      {rows.map((field, number) => {
        const limits = { min: field.config.min ?? Math.min(0, ...numbers), max: field.config.max ?? Math.max(...numbers) };
        return (
          <div key={number} style={{ height: bar }}>
            <BarGauge theme={theme} width={width} height={bar - 6} value={found[number]} field={{ ...field.config, ...limits }}
              display={field.display} orientation={VizOrientation.Horizontal} displayMode="basic" showUnfilled
              alignmentFactors={factors} itemSpacing={4} />
          </div>
        );
      })}
    </div>
  );
}

function Rows({ panel, frames, width, height }) {
  return <Table data={frames[0]} width={width} height={height} initialSortBy={panel.options.sortBy} />;
}

function Row({ panel }) {
  const style = { position: 'absolute', left: 0, top: panel.gridPos.y * ROW + 8, ...theme.typography.h5 };
  return <div style={{ ...style, color: theme.colors.text.primary }}>⌄ {panel.title}</div>;
}

function Board() {
  const { panels } = job.dashboard;
  const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * ROW;
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ padding: 12, background: theme.colors.background.canvas }}>
        <div style={{ ...theme.typography.h4, color: theme.colors.text.primary, marginBottom: 8 }}>{job.dashboard.title}</div>
        <div style={{ position: 'relative', width: job.width, height }}>
          {panels.map((panel) => (panel.type === 'row' ? <Row key={panel.id} panel={panel} /> : <Panel key={panel.id} panel={panel} />))}
        </div>
      </div>
    </ThemeContext.Provider>
  );
}

createRoot(document.getElementById('root')).render(<Board />);

// What Grafana's server would do with a panel before it is drawn: variables, queries, names of series, overrides.
import { FieldType, createDataFrame, dateTime, getDisplayProcessor, standardTransformers } from '@grafana/data';
import { firstValueFrom, of } from 'rxjs';

const DAY_S = 86400;

/** Start and end of a panel, in seconds: its own range, or that of the dashboard. */
export function rangeOf(panel, dashboard, endS) {
  const from = panel.timeFrom ?? dashboard.time.from.replace('now-', '');
  if (from === 'now/M') {
    return { startS: dateTime(endS * 1000).startOf('month').unix(), endS };
  }
  const [, count, unit] = /^(\d+)([hd])$/.exec(from);
  return { startS: endS - Number(count) * (unit === 'd' ? DAY_S : 3600), endS };
}

/** The frames of all targets of a panel. */
export async function framesOf(panel, dashboard, range, job) {
  const answers = await Promise.all(panel.targets.map((target) => ask(target, dashboard, range, job)));
  return panel.targets.flatMap((target, number) => framesOfAnswer(target, answers[number], range, stepOf(range, job)));
}

function stepOf({ startS, endS }, job) {
  return Math.max(job.scrape_s, Math.ceil((endS - startS) / 600 / 60) * 60);
}

async function ask(target, dashboard, range, job) {
  const stepS = stepOf(range, job);
  const values = {
    __range: `${range.endS - range.startS}s`,
    __rate_interval: `${Math.max(4 * job.scrape_s, stepS + job.scrape_s)}s`,
  };
  dashboard.templating.list.forEach((each) => (values[each.name] = each.allValue ?? '.*'));
  const query = target.expr.replace(/\$(\w+)/g, (_, name) => values[name]);
  const parameters = target.instant
    ? { query, time: range.endS }
    : { query, start: range.startS, end: range.endS, step: stepS };
  const path = target.instant ? 'query' : 'query_range';
  const answer = await (await fetch(`/api/v1/${path}?${new URLSearchParams(parameters)}`)).json();
  if (answer.status !== 'success') {
    throw new Error(`${target.expr}: ${answer.error}`);
  }
  return answer.data.result;
}

function framesOfAnswer(target, series, range, stepS) {
  if (target.format === 'table') {
    return series.length ? [tableFrame(target, series)] : [];
  }
  return series.map((each) => {
    const name = target.legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label) => each.metric[label] ?? '');
    const samples = new Map((each.values ?? [each.value]).map(([time, value]) => [time, Number(value)]));
    const times = [];
    for (let time = target.instant ? range.endS : range.startS; time <= range.endS; time += stepS) {
      times.push(time);
    }
    const values = times.map((time) => (Number.isFinite(samples.get(time)) ? samples.get(time) : null));
    return createDataFrame({
      refId: target.refId,
      fields: [
        { name: 'Time', type: FieldType.time, values: times.map((time) => time * 1000) },
        { name: 'Value', type: FieldType.number, labels: each.metric, values, config: { displayNameFromDS: name } },
      ],
    });
  });
}

function tableFrame(target, series) {
  const labels = [...new Set(series.flatMap((each) => Object.keys(each.metric)))];
  return createDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: series.map((each) => each.value[0] * 1000) },
      ...labels.map((name) => ({ name, type: FieldType.string, values: series.map((each) => each.metric[name] ?? '') })),
      { name: `Value #${target.refId}`, type: FieldType.number, values: series.map((each) => Number(each.value[1])) },
    ],
  });
}

/** The frames after the transformations that a panel names, by Grafana's own code. */
export async function transformed(frames, panel) {
  let data = frames;
  for (const { id, options } of panel.transformations ?? []) {
    const transformer = Object.values(standardTransformers).find((each) => each.id === id);
    const single = id === 'organize' && panel.targets.length === 1 ? onlyValue(options) : options;
    data = await firstValueFrom(
      of(data).pipe(transformer.operator({ ...transformer.defaultOptions, ...single }, { interpolate: (text) => text }))
    );
  }
  return data;
}

// Grafana calls the value of a lone query `Value`; here it is always `Value #A`.
function onlyValue(options) {
  return { ...options, renameByName: { ...options.renameByName, 'Value #A': options.renameByName.Value } };
}

/** Settings of the panel on every field: defaults, then overrides by name. */
export function configured(frames, panel, theme) {
  const { defaults, overrides } = panel.fieldConfig;
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => {
      if (field.type === FieldType.time) {
        return { ...field, display: getDisplayProcessor({ field, theme, timeZone: 'utc' }) };
      }
      const config = { ...defaults, custom: { ...defaults.custom }, ...definedOnly(field.config) };
      config.thresholds = withInfinity(config.thresholds);
      const name = field.config.displayName ?? field.config.displayNameFromDS ?? field.name;
      for (const { matcher, properties } of overrides) {
        if (matcher.id === 'byRegexp' ? new RegExp(matcher.options).test(name) : matcher.options === name) {
          properties.forEach(({ id, value }) => set(config, id, value));
        }
      }
      const made = { ...field, config };
      return { ...made, display: getDisplayProcessor({ field: made, theme, timeZone: 'utc' }) };
    }),
  }));
}

function definedOnly(config) {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

function set(config, id, value) {
  if (id.startsWith('custom.')) {
    config.custom = { ...config.custom, [id.slice('custom.'.length)]: value };
  } else if (id !== 'links') {
    config[id] = id === 'thresholds' ? withInfinity(value) : value;
  }
}

function withInfinity(thresholds) {
  return thresholds && { ...thresholds, steps: thresholds.steps.map((each) => ({ ...each, value: each.value ?? -Infinity })) };
}

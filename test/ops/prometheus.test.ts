import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { parsePrometheusText, type Sample } from '../support/prometheus-text.ts';
import { namesIn } from '../support/promql.ts';
import { servedMetrics } from '../support/served-metrics.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'ops', 'prometheus');
const read = (...path: string[]) => readFile(join(root, ...path), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: {
    readonly h: number;
    readonly w: number;
    readonly x: number;
    readonly y: number;
  };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const rules: readonly Rule[] = parse(await read('ops', 'prometheus', 'rules.yml')).groups.flatMap(
  ({ rules }: { rules: Rule[] }) => rules,
);
const dashboard = JSON.parse(await read('ops', 'grafana', 'sojourn.json'));
const panels: readonly Panel[] = dashboard.panels;

/** As Grafana asks: its variables replaced. */
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => {
    const query = expr
      .replaceAll('$__rate_interval', '1m')
      .replaceAll('$job', 'sojourn')
      .replaceAll('$instance', '.*');
    return { title, query, legendFormat };
  }),
);

/** Needs Prometheus' tool, which CI does not let be missing. */
const describeWithPromtool = describe.skipIf(inject('promtoolBinary') === undefined);
const promtool = (...args: string[]) =>
  promisify(execFile)(String(inject('promtoolBinary')), args, { cwd: folder });

describeWithPromtool('by promtool', () => {
  it('the alerts fire when they should and at no other time', async () => {
    const { stdout } = await promtool('test', 'rules', 'rules.test.yml');
    expect(stdout).toContain('SUCCESS');
  });

  it('the configuration and the rules are valid', async () => {
    const { stdout } = await promtool('check', 'config', 'prometheus.yml');
    expect(stdout).toContain(`${rules.length} rules found`);
  });

  it('every query of the dashboard parses', async () => {
    const place = await mkdtemp(join(tmpdir(), 'sojourn-queries-'));
    try {
      const file = join(place, 'queries.yml');
      const asRules = queries.map(({ query }, i) => ({ record: `panel:${i}`, expr: query }));
      await writeFile(file, stringify({ groups: [{ name: 'dashboard', rules: asRules }] }));
      const { stdout } = await promtool('check', 'rules', file);
      expect(stdout).toContain(`${queries.length} rules found`);
    } finally {
      await rm(place, { recursive: true });
    }
  });

  it('there is nothing to say of the metrics that are ours', async () => {
    const check = spawn(String(inject('promtoolBinary')), ['check', 'metrics']);
    let said = '';
    for (const stream of [check.stdout, check.stderr]) {
      stream.on('data', (chunk) => {
        said += chunk;
      });
    }
    check.stdin.end(await servedMetrics());
    await once(check, 'close');
    // Some of Node's, from prom-client, are named against the rules; so promtool has read the text, and has found ours.
    expect(said).toContain('nodejs_');
    expect(said.split('\n').filter((line) => !line.startsWith('nodejs_'))).toEqual(['']);
  });
});

describe('what alerts and dashboard name', () => {
  let samples: readonly Sample[];
  beforeAll(async () => {
    samples = parsePrometheusText(await servedMetrics());
  });

  /** Of Prometheus itself: whether it could scrape, and whom. */
  const ofPrometheus = { metrics: ['up'], labels: ['job', 'instance'] };

  it.each([
    ...rules.map(({ alert, expr }) => [alert, expr]),
    ...queries.map(({ title, query }) => [title, query]),
  ])('is served: %s', (_title, query = '') => {
    const { metrics, labels, values } = namesIn(query);
    expect(metrics.size).toBeGreaterThan(0);
    const ours = [...metrics].filter((name) => !ofPrometheus.metrics.includes(name));
    const served = samples.filter(({ name }) => metrics.has(name));
    expect(new Set(served.map(({ name }) => name))).toEqual(new Set(ours));
    for (const label of labels) {
      if (ofPrometheus.labels.includes(label)) continue;
      expect(served.flatMap(({ labels }) => Object.keys(labels))).toContain(label);
    }
    for (const [label, value] of values) {
      if (ofPrometheus.labels.includes(label)) continue;
      expect(served.map(({ labels }) => labels[label])).toContain(value);
    }
  });

  it.each(queries.map(({ title, query, legendFormat }) => [title, query, legendFormat]))(
    'is left to be shown in the legend: %s',
    (_title, query = '', legend = '') => {
      const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
      const isAggregate = /\b(?:sum|min|max|histogram_quantile)\b/.test(query);
      const left = isAggregate ? [...namesIn(query).labels] : ofPrometheus.labels;
      expect(left).toEqual(expect.arrayContaining(shown));
      if (isAggregate && shown.length > 0) expect(query).toMatch(/\bby\b/);
    },
  );
});

it.each(rules.map((rule) => [rule.alert, rule] as const))(
  '%s says how urgent it is, what is wrong, and where it is written what to do',
  async (alert, { labels, annotations }) => {
    expect(['critical', 'warning']).toContain(labels.severity);
    expect(annotations.summary).toMatch(/\.$|\}\}$/);
    expect(annotations.description).toMatch(/\.$/);
    const [file = '', anchor] = annotations.runbook_url?.split('#') ?? [];
    const headings = [...(await read(file)).matchAll(/^## (\w+)$/gm)].map(
      ([, title = '']) => title,
    );
    expect(anchor).toBe(alert.toLowerCase());
    expect(headings).toContain(alert);
  },
);

it('the runbook has no alert that does not exist, and every alert is unit-tested', async () => {
  const alerts = rules.map(({ alert }) => alert);
  const headings = [...(await read('docs', 'runbook.md')).matchAll(/^## (Sojourn\w+)$/gm)];
  expect(headings.map(([, title]) => title)).toEqual(alerts);
  const { tests } = parse(await read('ops', 'prometheus', 'rules.test.yml'));
  const firing = tests
    .flatMap(({ alert_rule_test }: { alert_rule_test: object[] }) => alert_rule_test)
    .filter(({ exp_alerts }: { exp_alerts: object[] }) => exp_alerts.length > 0)
    .map(({ alertname }: { alertname: string }) => alertname);
  expect(new Set(firing)).toEqual(new Set(alerts));
});

it('the dashboard asks every metric of ours, in panels that do not overlap', async () => {
  const asked = new Set(queries.flatMap(({ query }) => [...namesIn(query).metrics]));
  const ours = parsePrometheusText(await servedMetrics())
    .map(({ name }) => name)
    .filter((name) => name.startsWith('sojourn_') && !name.endsWith('_sum'));
  expect([...new Set(ours)].filter((name) => !asked.has(name))).toEqual([]);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const [i, { gridPos: one, title }] of panels.entries()) {
    expect(one.x + one.w, title).toBeLessThanOrEqual(24);
    for (const { gridPos: other } of panels.slice(i + 1)) {
      const apart =
        one.x + one.w <= other.x ||
        other.x + other.w <= one.x ||
        one.y + one.h <= other.y ||
        other.y + other.h <= one.y;
      expect(apart, title).toBe(true);
    }
  }
});

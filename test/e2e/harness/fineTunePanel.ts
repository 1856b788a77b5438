import type { Frame, Locator } from 'playwright-core';

/** The Fine-Tune panel's page. */
export class FineTunePanel {
  constructor(readonly frame: Frame) {}

  setting(path: string): Locator {
    return this.frame.locator(`[data-setting="${path}"]`);
  }

  async fill(path: string, value: string | number): Promise<void> {
    await this.setting(path).locator('input:not([type=range])').fill(String(value));
  }

  async choose(path: string, value: string): Promise<void> {
    await this.setting(path).locator('select').selectOption(value);
  }

  /** The value that the field shows; empty while the page is being rebuilt. */
  async value(path: string): Promise<string> {
    return this.setting(path)
      .locator('input:not([type=range])')
      .inputValue({ timeout: 2000 })
      .catch(() => '');
  }

  get start(): Locator {
    return this.frame.getByRole('button', { name: 'Start Training' });
  }

  /** What `start` becomes while something is trained. */
  get enqueue(): Locator {
    return this.frame.getByRole('button', { name: 'Add to Queue' });
  }

  get plots(): Locator {
    return this.frame.locator('.board');
  }

  async showTab(name: 'Plots' | 'Data' | 'Pre-flight'): Promise<void> {
    await this.frame.getByRole('tab', { name }).click();
  }

  /** Runs the pre-flight and waits for its report. */
  async preflight(): Promise<void> {
    await this.showTab('Pre-flight');
    await this.frame.locator('.preflight').getByRole('button', { name: 'Run Pre-flight' }).click();
    await this.frame.locator('.preflight .figures').waitFor({ timeout: 60_000 });
  }

  /** The first examples of the data, as the model will see them. */
  async examples(): Promise<Locator> {
    await this.showTab('Data');
    const examples = this.frame.locator('.sample');
    await examples.first().waitFor({ timeout: 60_000 });
    return examples;
  }

  async runIs(status: string): Promise<void> {
    await this.frame.locator(`.run[data-status=${status}]`).waitFor({ timeout: 60_000 });
  }

  /** The step that the panel shows. */
  async step(): Promise<number> {
    const text = await this.frame.locator('.run-steps').textContent();
    return Number(/([\d,]+) of/.exec(text ?? '')?.[1]?.replaceAll(',', ''));
  }

  /** The loss plot's values according to its table view: step by step, without smoothing. */
  async losses(): Promise<{ step: number; loss: number }[]> {
    await this.frame.getByRole('slider', { name: 'Smoothing' }).fill('0');
    const asTable = this.frame.getByRole('checkbox', { name: 'As table' });
    await asTable.check();
    const body = this.plots.locator('.plot-loss tbody');
    await body.locator('tr').nth(1).waitFor();
    const rows = await body.evaluate((table) =>
      [...table.querySelectorAll('tr')].map((row) => [...row.children].map((cell) => cell.textContent ?? '')),
    );
    await asTable.uncheck();
    // The evaluation before the first step has its own row.
    const steps = rows.filter(([, loss]) => loss !== '');
    return steps.map(([step, loss]) => ({ step: Number(step), loss: Number(loss) })).reverse();
  }
}

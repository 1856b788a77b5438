/** The endpoint for other tools: started from the palette, with its address in the status bar and its key on the clipboard. */
import { expect, test } from 'vitest';
import { signature, adapterAnswer, trainAdapter } from './harness/adapter.js';
import { testBed, until } from './harness/workspace.js';

const bed = testBed({ prepare: trainAdapter });

const address = 'http://127.0.0.1:8012/v1';

test('answers other tools while it is on, with the key that VS Code keeps', async () => {
  const { window } = bed;
  const { page } = window;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await window.command('LoRA Workbench: Start Endpoint for Other Tools');
  await window.statusBar('127.0.0.1:8012').waitFor({ timeout: 60_000 });
  const press = async (button: string) => {
    // Toasts come and go; the list of notifications keeps their messages.
    await window.command('Notifications: Show Notifications');
    const said = `Other tools reach these models at ${address}: tiny-llama, `;
    const message = page.locator('.notifications-center .notification-list-item', { hasText: said });
    await message.getByRole('button', { name: button }).click();
  };
  await press('Copy API Key');
  await until('the key is on the clipboard', async () => /^[\w-]{32}$/.test(await clipboard()));
  const headers = { Authorization: `Bearer ${await clipboard()}`, 'Content-Type': 'application/json' };

  const { data } = (await (await fetch(`${address}/models`, { headers })).json()) as { data: { id: string }[] };
  expect(data).toHaveLength(2);
  const body = { model: data[1]!.id, prompt: `${signature}\n    `, temperature: 0, max_tokens: 12 };
  const response = await fetch(`${address}/completions`, { method: 'POST', headers, body: JSON.stringify(body) });
  const { choices } = (await response.json()) as { choices: { text: string }[] };
  expect(choices[0]!.text).toContain(adapterAnswer);
  expect((await fetch(`${address}/models`)).status).toBe(401);

  await window.statusBar('127.0.0.1:8012').locator('a').click();
  await press('Copy Address');
  await until('the address is on the clipboard', async () => (await clipboard()) === address);

  await window.command('LoRA Workbench: Stop Endpoint for Other Tools');
  await window.statusBar('127.0.0.1:8012').waitFor({ state: 'hidden' });
  await until('nobody listens', () =>
    fetch(`${address}/models`).then(
      () => false,
      () => true,
    ),
  );
});

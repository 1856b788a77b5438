import * as vscode from 'vscode';
import { panelIds } from '../contributions.js';

/** What WebviewPanels needs to fill its panels. */
export interface PanelServices {
  readonly extensionUri: vscode.Uri;
  readonly backend: { wake(): Promise<void> };
}

/** Creates and fills the panels of one view, and restores them after the window is reloaded. */
export abstract class WebviewPanels<Content, Page extends vscode.Disposable> implements vscode.WebviewPanelSerializer {
  private readonly pages = new Map<vscode.WebviewPanel, Page>();

  constructor(
    private readonly view: keyof typeof panelIds,
    private readonly title: string,
    private readonly panelServices: PanelServices,
  ) {}

  register(): vscode.Disposable {
    return vscode.window.registerWebviewPanelSerializer(panelIds[this.view], this);
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    void this.panelServices.backend.wake();
    this.fill(panel, await this.restored());
  }

  /** The content of a panel that was open before the window was reloaded. */
  protected abstract restored(): Content | Promise<Content>;

  /** Fills a panel. */
  protected abstract page(panel: vscode.WebviewPanel, content: Content): Page;

  /** For views with only one panel at a time. */
  protected current(): { readonly panel: vscode.WebviewPanel; readonly page: Page } | undefined {
    return this.find(() => true);
  }

  /** The first panel whose page fits. */
  protected find(fits: (page: Page) => boolean): { readonly panel: vscode.WebviewPanel; readonly page: Page } | undefined {
    for (const [panel, page] of this.pages) if (fits(page)) return { panel, page };
    return undefined;
  }

  protected create(content: Content): void {
    this.fill(vscode.window.createWebviewPanel(panelIds[this.view], this.title, vscode.ViewColumn.Active), content);
  }

  /** Replaces what the panel showed before. */
  protected fill(panel: vscode.WebviewPanel, content: Content): void {
    const before = this.pages.get(panel);
    before?.dispose();
    panel.iconPath = vscode.Uri.joinPath(this.panelServices.extensionUri, 'media', 'icons', 'container.svg');
    this.pages.set(panel, this.page(panel, content));
    if (!before) panel.onDidDispose(() => this.forget(panel));
  }

  private forget(panel: vscode.WebviewPanel): void {
    this.pages.get(panel)?.dispose();
    this.pages.delete(panel);
  }
}

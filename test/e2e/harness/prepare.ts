/** @file Installs VS Code and builds the VSIX once, for several runs of the tests. */
import { setup } from './globalSetup.js';

setup();

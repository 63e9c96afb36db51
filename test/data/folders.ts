// Where real data lies, if it does: FOVEA_DATA, or beside the checkout.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const dataFolder = process.env.FOVEA_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));

export const hasData = (name: string): boolean => existsSync(join(dataFolder, name));

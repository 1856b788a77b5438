type Imports = Readonly<Record<string, readonly string[]>>;

/** Who may import whom. */
export const layers: Imports;
/** The same of the folders of src/core. */
export const coreFolders: Imports;

/** What `openData` opens. */
export const DATASETS = ["folder", "cifar10", "cifar100", "mnist", "wds", "parquet", "csv"] as const;
export type DatasetKind = (typeof DATASETS)[number];

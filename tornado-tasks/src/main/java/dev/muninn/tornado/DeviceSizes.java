package dev.muninn.tornado;

/**
 * What a model has room for on its device.
 *
 * @param rowSlots row slots of all callers
 * @param outerRows cache rows of each prelude and coda block
 * @param recurrentRows cache rows of each recurrent block
 */
record DeviceSizes(int rowSlots, int outerRows, int recurrentRows) {}

package dev.muninn.tornado;

/**
 * The room that a model has on its device. Keys and values are counted in units, by {@link
 * dev.muninn.tornado.kernel.CacheFormat}.
 *
 * @param mostRows most rows of an execution
 * @param context most positions of a sequence
 * @param rowSlots row slots of all callers
 * @param outerUnits units of each prelude and coda block
 * @param recurrentUnits units of each recurrent block
 */
record DeviceSizes(int mostRows, int context, int rowSlots, int outerUnits, int recurrentUnits) {}

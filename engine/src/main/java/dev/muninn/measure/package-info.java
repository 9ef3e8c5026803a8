/**
 * Shared by the measurements of the command line and those of JMH: models of random weights, and
 * what their parts cost. The machine's own limits are {@link dev.muninn.vector.MachineLimits}.
 */
package dev.muninn.measure;

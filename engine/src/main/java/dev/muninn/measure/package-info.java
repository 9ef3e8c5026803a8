/**
 * Shared by the measurements of the command line and those of JMH: models of random weights, and
 * what their parts cost. What a device reaches by itself, {@link
 * dev.muninn.backend.Backend#measureLimits} tells.
 */
package dev.muninn.measure;

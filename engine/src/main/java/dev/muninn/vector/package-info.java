/**
 * The CPU backend: products of weight matrices by format, and attention, each kernel beside a
 * scalar twin that specifies it.
 */
package dev.muninn.vector;

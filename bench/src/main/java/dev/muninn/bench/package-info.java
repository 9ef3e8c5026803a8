/** JMH benchmarks, and the table of rates and limits that follows their results. */
package dev.muninn.bench;

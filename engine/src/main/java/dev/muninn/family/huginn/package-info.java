/** The Huginn family. */
package dev.muninn.family.huginn;

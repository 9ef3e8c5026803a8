/** The Ouro family. */
package dev.muninn.family.ouro;

/** Keys and values by sequence, slot and position, and which recurrences share a slot. */
package dev.muninn.cache;

/** Keys, users, teams and organisations that are managed at run time, stored in Redis and shared by all instances. */
@NullMarked
package dev.sluice.directory;

import org.jspecify.annotations.NullMarked;

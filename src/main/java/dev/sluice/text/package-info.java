/** Characters and bytes of the fields of HTTP messages, in the forms in which servers read them. Internal. */
@NullMarked
package dev.sluice.text;

import org.jspecify.annotations.NullMarked;

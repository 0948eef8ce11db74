package dev.sluice.service.rls;

/** Effect of a call on the windows. */
enum RequestMode {
    /** Takes the cost if all of it fits. */
    LIMIT,
    /** Says whether the cost would fit, and takes nothing. */
    CHECK,
    /** Takes the cost even if it does not fit, and always answers OK. */
    REPORT
}

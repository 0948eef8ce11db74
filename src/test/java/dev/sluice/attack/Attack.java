package dev.sluice.attack;

/** What a hostile client does to the target. It is bounded: it ends by itself, and stays on loopback addresses. */
interface Attack {

    /**
     * Attacks, and verifies what must hold.
     *
     * @return the figures for the report
     */
    String run(Target target) throws Exception;
}

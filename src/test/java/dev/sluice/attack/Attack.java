package dev.sluice.attack;

/** Attack of a hostile client on the target. It is bounded: it ends by itself, and stays on loopback addresses. */
interface Attack {

    /**
     * Attacks, and verifies what must hold.
     *
     * @return the figures for the report
     */
    String run(Target target) throws Exception;
}

package dev.sluice.store;

/** Effect of a claim on the decision about a {@link JointRequest}. */
public enum Enforcement {

    /** The claim must fit; otherwise the request is denied. */
    ENFORCED('e'),
    /** The request is denied only if nothing of this kind fits. What does not fit takes nothing. */
    QUOTA('q'),
    /** The claim is counted and reported, and denies nothing. What does not fit takes nothing. */
    SHADOW('s'),
    /**
     * The units have been used already: they are taken even if they exceed what is left, and even if the request is denied. It is
     * denied if nothing was left. Counted in sub-windows.
     */
    CHARGED('c');

    /** Name in the script. */
    private final char code;

    Enforcement(char code) {
        this.code = code;
    }

    char code() {
        return code;
    }

    /**
     * Returns whether a claim takes its units.
     *
     * @param admitted whether the request is admitted
     * @param exceeded whether one of the claims of the same identifier did not fit
     */
    public boolean takes(boolean admitted, boolean exceeded) {
        return switch (this) {
            case ENFORCED -> admitted;
            case QUOTA, SHADOW -> admitted && !exceeded;
            case CHARGED -> true;
        };
    }
}

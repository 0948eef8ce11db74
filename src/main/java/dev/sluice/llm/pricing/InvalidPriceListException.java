package dev.sluice.llm.pricing;

/** Reports that a document is not a price list. The message does not contain any of its content. */
public final class InvalidPriceListException extends Exception {

    private static final long serialVersionUID = 1;

    InvalidPriceListException(String message) {
        super(message);
    }
}

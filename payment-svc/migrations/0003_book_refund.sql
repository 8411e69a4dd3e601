-- Books one refund in one transaction and one round trip.
--
--   booked                  the money moved back (refund_id and created_us are those of the refund)
--   payment_unknown         nothing is remembered
--   refund_exceeds_payment  the sum of refunds would pass the amount; `refundable` says what is left
--   key_reused              the key is recorded with another request
--
-- Locks come in the order of book_payments: accounts sorted, then the payment.
CREATE FUNCTION book_refund(
    p_id text, p_payment text, p_amount bigint, p_key text, p_hash bytea
) RETURNS TABLE (outcome text, refund_id text, currency text, created_us bigint, replayed boolean,
                 refundable bigint, user_id text, merchant_id text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_now_us bigint := (extract(epoch FROM now()) * 1000000)::bigint;
    paid     payments%ROWTYPE;
    known    idempotency_keys%ROWTYPE;
BEGIN
    SELECT * INTO paid FROM payments p WHERE p.id = p_payment;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'payment_unknown', p_id, '', v_now_us, false, 0::bigint, '', '';
        RETURN;
    END IF;

    PERFORM 1 FROM accounts a
      WHERE (a.id = paid.user_id AND a.stripe = 0)
         OR (a.id = paid.merchant_id AND a.stripe = paid.merchant_stripe)
      ORDER BY a.id, a.stripe
      FOR NO KEY UPDATE;
    SELECT * INTO paid FROM payments p WHERE p.id = p_payment FOR NO KEY UPDATE;

    SELECT * INTO known FROM idempotency_keys k WHERE k.user_id = paid.user_id AND k.key = p_key;
    IF FOUND AND known.request_hash <> p_hash THEN
        RETURN QUERY SELECT 'key_reused', p_id, paid.currency, v_now_us, false,
                            paid.amount_minor - paid.refunded_minor, paid.user_id, paid.merchant_id;
        RETURN;
    ELSIF FOUND THEN
        RETURN QUERY SELECT known.outcome, known.transfer_id, paid.currency,
                            (extract(epoch FROM known.created_at) * 1000000)::bigint, true,
                            paid.amount_minor - paid.refunded_minor, paid.user_id, paid.merchant_id;
        RETURN;
    END IF;
    IF p_amount > paid.amount_minor - paid.refunded_minor THEN
        RETURN QUERY SELECT 'refund_exceeds_payment', p_id, paid.currency, v_now_us, false,
                            paid.amount_minor - paid.refunded_minor, paid.user_id, paid.merchant_id;
        RETURN;
    END IF;

    INSERT INTO idempotency_keys (user_id, key, request_hash, outcome, transfer_id)
    VALUES (paid.user_id, p_key, p_hash, 'booked', p_id);
    INSERT INTO refunds (id, payment_id, user_id, amount_minor, currency, idempotency_key)
    VALUES (p_id, p_payment, paid.user_id, p_amount, paid.currency, p_key);
    INSERT INTO entries (transfer_id, leg, account_id, stripe, amount_minor, currency)
    VALUES (p_id, 0, paid.merchant_id, paid.merchant_stripe, -p_amount, paid.currency),
           (p_id, 1, paid.user_id, 0, p_amount, paid.currency);
    UPDATE payments p SET refunded_minor = p.refunded_minor + p_amount WHERE p.id = p_payment;
    UPDATE accounts a SET balance_minor = a.balance_minor - p_amount, updated_at = now()
     WHERE a.id = paid.merchant_id AND a.stripe = paid.merchant_stripe;
    UPDATE accounts a SET balance_minor = a.balance_minor + p_amount, updated_at = now()
     WHERE a.id = paid.user_id AND a.stripe = 0;
    INSERT INTO outbox (topic, message_id, payload)
    VALUES ('payments.refunded', p_id || '.refunded',
            json_build_object('type', 'payment.refunded', 'refund_id', p_id,
                              'payment_id', p_payment, 'user_id', paid.user_id,
                              'merchant_id', paid.merchant_id, 'amount_minor', p_amount,
                              'currency', paid.currency, 'time', now())::text);
    RETURN QUERY SELECT 'booked', p_id, paid.currency, v_now_us, false,
                        paid.amount_minor - paid.refunded_minor - p_amount,
                        paid.user_id, paid.merchant_id;
END;
$$;

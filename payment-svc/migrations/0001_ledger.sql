-- The ledger of one shard: who has how much, and why.
-- Ids compare byte by byte (collation "C"): cheaper, and the order of locks never depends on a locale.

-- `stripe` splits a merchant's clearing account, so that payments to one hot merchant do not queue
-- for one row; a merchant's balance is the sum over its stripes and over the shards.
CREATE TABLE accounts (
    id            text COLLATE "C" NOT NULL,
    stripe        smallint         NOT NULL DEFAULT 0,
    kind          text COLLATE "C" NOT NULL CHECK (kind IN ('user', 'merchant', 'opening')),
    currency      text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    balance_minor bigint           NOT NULL DEFAULT 0,
    updated_at    timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (id, stripe),
    CONSTRAINT no_overdraft CHECK (kind = 'opening' OR balance_minor >= 0)
) WITH (fillfactor = 80);

-- One row per key that had an effect or a final refusal. Bad input is not remembered.
CREATE TABLE idempotency_keys (
    user_id      text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    request_hash bytea            NOT NULL CHECK (octet_length(request_hash) = 32),
    outcome      text COLLATE "C" NOT NULL CHECK (outcome IN ('booked', 'insufficient_funds')),
    transfer_id  text COLLATE "C",
    created_at   timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key),
    CONSTRAINT booked_names_its_transfer CHECK ((outcome = 'booked') = (transfer_id IS NOT NULL))
);

CREATE TABLE payments (
    id              text COLLATE "C" PRIMARY KEY,
    user_id         text COLLATE "C" NOT NULL,
    merchant_id     text COLLATE "C" NOT NULL,
    merchant_stripe smallint         NOT NULL,
    amount_minor    bigint           NOT NULL CHECK (amount_minor > 0),
    currency        text COLLATE "C" NOT NULL,
    reference       text,
    idempotency_key text COLLATE "C" NOT NULL,
    refunded_minor  bigint           NOT NULL DEFAULT 0,
    created_at      timestamptz      NOT NULL DEFAULT now(),
    UNIQUE (user_id, idempotency_key),
    CONSTRAINT refunds_within_payment CHECK (refunded_minor BETWEEN 0 AND amount_minor)
) WITH (fillfactor = 90);

CREATE TABLE refunds (
    id              text COLLATE "C" PRIMARY KEY,
    payment_id      text COLLATE "C" NOT NULL REFERENCES payments (id),
    user_id         text COLLATE "C" NOT NULL,
    amount_minor    bigint           NOT NULL CHECK (amount_minor > 0),
    currency        text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    created_at      timestamptz      NOT NULL DEFAULT now(),
    UNIQUE (user_id, idempotency_key)
);

-- Double entry: the legs of one transfer sum to zero.
CREATE TABLE entries (
    transfer_id  text COLLATE "C" NOT NULL,
    leg          smallint         NOT NULL,
    account_id   text COLLATE "C" NOT NULL,
    stripe       smallint         NOT NULL,
    amount_minor bigint           NOT NULL CHECK (amount_minor <> 0),
    currency     text COLLATE "C" NOT NULL,
    created_at   timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (transfer_id, leg)
);

CREATE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed; correct them by a new transfer', TG_TABLE_NAME;
END;
$$;

CREATE TRIGGER entries_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- Events wait here until the stream has acknowledged them.
CREATE TABLE outbox (
    seq        bigserial   PRIMARY KEY,
    topic      text        NOT NULL,
    message_id text        NOT NULL,
    payload    text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

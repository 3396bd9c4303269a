/** Rings on every gateway when something begins, changes or ends that questions are drawn into. */
export const TESTS_TOPIC = 'delivery:tests';

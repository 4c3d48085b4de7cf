# frozen_string_literal: true

# The answer to a sign-up that failed: one sentence, and codes by parameter.
class SignUpFault
  NAMES = { 'account.username': 'Username', email: 'E-mail address', password: 'Password', agreement: 'Service agreement' }.freeze
  KEYS = { 'account.username': :username }.freeze
  HIDDEN = %i[account].freeze

  def initialize(user)
    @errors = user.errors.reject { |error| HIDDEN.include?(error.attribute) }
  end

  def as_json(*)
    sentences = @errors.map { |error| "#{NAMES.fetch(error.attribute, error.attribute.to_s.humanize)} #{error.message}" }
    { error: "Validation failed: #{sentences.join(', ')}", details: details }
  end

  private

  def details
    @errors.group_by { |error| KEYS.fetch(error.attribute, error.attribute) }
           .transform_values { |errors| errors.map { |error| { error: "ERR_#{error.type.to_s.upcase}", description: error.message } } }
  end
end

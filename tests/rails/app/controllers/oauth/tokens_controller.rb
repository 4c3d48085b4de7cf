# frozen_string_literal: true

module Oauth
  # Row 13, Doorkeeper's own.
  class TokensController < Doorkeeper::TokensController
  end
end

# frozen_string_literal: true

class Invite < ApplicationRecord
  belongs_to :user
  before_create { self.code ||= SecureRandom.alphanumeric(8) }
end

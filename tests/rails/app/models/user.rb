# frozen_string_literal: true

# The private side: the address and the password, with real Devise on it.
class User < ApplicationRecord
  devise :registerable, :rememberable, :validatable, :confirmable, :database_authenticatable

  belongs_to :account, inverse_of: :user
  belongs_to :invite, optional: true, counter_cache: :uses
  accepts_nested_attributes_for :account
  validates_associated :account

  attr_accessor :agreement, :website, :confirm_password, :invite_code, :invite_request_attributes

  validates :agreement, acceptance: { allow_nil: false, accept: [true, 'true', '1'] }, on: :create
  validates :website, :confirm_password, absence: true, on: :create # honeypots: people do not see them

  # A first address waits for nothing, a changed one is parked until it is confirmed.
  def invite_code=(code)
    @invite_code = code
    self.invite = Invite.find_by(code: code) if code.present?
  end

  def token_for_app(app)
    return unless app.owner_id == id

    Doorkeeper::AccessToken.find_or_create_by!(application_id: app.id, resource_owner_id: id) { |token| token.scopes = app.scopes.to_s }
  end
end
